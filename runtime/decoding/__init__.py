"""Text ids to codec tokens: the patch loop, sampling, KV cache."""
