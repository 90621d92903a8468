"""NVIDIA's Cosmos discrete image tokenizer: its codes and its decoder for single pictures."""
