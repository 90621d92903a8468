"""Judging: a picture read back into a scene, what of a request came true, and the figures of the table."""
