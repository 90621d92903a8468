"""The page for visitors: read once, served from memory, and nothing on it comes from anywhere else."""
