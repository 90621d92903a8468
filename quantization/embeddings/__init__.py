"""The tables of token and code embeddings: rounded as a plan says, and taken from an output matrix they are tied to."""
