"""The model: text tokenizer, image tokenizer, decoder, and the checkpoint folder they are written to."""
