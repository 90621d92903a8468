"""Names that nobody guesses, and whose they are where several engines serve together."""

import secrets


def new_name(owner: str) -> str:
    """Return 128 random bits in letters, behind the name of the engine that has what is named so, if it has a name."""
    random = secrets.token_urlsafe(16)
    return f"{owner}.{random}" if owner else random


def owner_of(name: str) -> str | None:
    """Return the engine in a name, None where there was one engine alone."""
    owner, dot, _ = name.partition(".")
    return owner if dot else None
