"""A bundle's record of its own outputs, replayed on a device to see that it computes there what it did when made."""
