"""Requests as people type them, and what each demands: written by people, or put together from the lexicon."""
