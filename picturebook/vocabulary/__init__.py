"""The whole words that the tokenizer has tokens for, and what each of them means."""
