"""Generation: prompts, the raster loop, painting, text answers, detections."""
