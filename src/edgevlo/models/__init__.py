"""Models by name: found, installed from the Hub, listed, removed."""
