"""Weight-only quantisation: how weights are rounded (a file for each `--method`), and the passes that store them."""
