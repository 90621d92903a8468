"""Data, activation ranges and sensitivity, and the quality evaluation of a bundle: to come, nothing is here yet."""
