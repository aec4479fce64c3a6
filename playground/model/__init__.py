"""A tiny real language model for those who have no Ollama, behind the routes that an Ollama would answer."""
