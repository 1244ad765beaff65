"""One bundle for many clients: an OpenAI-compatible endpoint, Ray Serve, and a Triton model repository."""
