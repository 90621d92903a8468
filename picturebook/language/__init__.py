"""What people say about the world, English and Chinese: names, sentence forms, whole prompts."""
