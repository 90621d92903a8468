"""Training: stages and rates, processes, the optimiser, the training loop and its curves."""
