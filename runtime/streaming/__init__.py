"""Streams, prefetching and the request queue."""
