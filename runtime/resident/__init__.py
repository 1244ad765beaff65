"""A voice that stays loaded behind a Unix socket, and its light client."""
