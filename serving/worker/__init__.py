"""The process that owns an opened model; started as `python -m edgevlo.serving.worker`, driven through two pipes."""
