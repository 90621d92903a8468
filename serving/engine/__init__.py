"""The queue, its jobs, and the worker processes that carry them out; knows no HTTP and opens no model."""
