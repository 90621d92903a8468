"""picturebook: the little drawn world, its tokenizer, its training and its judge (toolchain only)."""
