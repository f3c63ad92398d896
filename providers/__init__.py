"""What providers are: their words, their bytes, their prices per kind of token."""
