"""The text tokenizer: text to token ids and back, and what its file may ask for."""
