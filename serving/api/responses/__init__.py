"""OpenAI's Responses API, as far as it paints, changes and answers."""
