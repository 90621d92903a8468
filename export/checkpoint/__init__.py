"""A checkpoint on disk: its weights, tokenizer, task card and licence, read tensor by tensor."""
