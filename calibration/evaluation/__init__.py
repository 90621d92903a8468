"""What a quantised bundle keeps of its reference: teacher forcing, figures, limits and the quality gate."""
