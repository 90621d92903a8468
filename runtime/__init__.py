"""The torch-free runtime: opens a bundle and drives the raster loop over a static KV cache."""
