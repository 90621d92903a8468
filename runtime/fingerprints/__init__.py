"""Which pictures were painted here: a log of what the image tokenizer sees in them, and files compared with it."""
