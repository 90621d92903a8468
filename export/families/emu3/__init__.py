"""Emu3 in transformers' format and in BAAI's own."""
