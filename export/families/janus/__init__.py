"""Janus, Janus-Pro and Janus-4o, in transformers' format and in deepseek-ai's own."""
