"""The commands, those about one subject in one module."""
