"""Pictures in and out: files, sizes, fitting, what a narrow tokenizer can hold, and the marks a file carries."""
