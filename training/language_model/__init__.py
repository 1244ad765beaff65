"""The token-level model and TLDR."""
