"""A server that keeps a voice loaded and listens on a Unix socket, and its light client."""
