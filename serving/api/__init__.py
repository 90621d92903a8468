"""The routes: OpenAI's, and our own."""
