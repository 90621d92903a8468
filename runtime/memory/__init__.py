"""Memory: what a bundle needs, predicted from its files, and what this process may still take."""
