"""The spectral decoder of the embedded voice."""
