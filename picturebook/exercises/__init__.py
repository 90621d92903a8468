"""Exercises: an instruction, source pictures and a target, as tokens with weights, packed for training."""
