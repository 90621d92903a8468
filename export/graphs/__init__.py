"""The graphs that are written operator by operator: the backbone and the two heads."""
