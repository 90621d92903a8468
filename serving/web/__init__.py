"""What every route shares: requests read with limits, answers and errors written, clients let in or kept out."""
