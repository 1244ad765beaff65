"""The bundle on disk: manifest, graph contract, voices, engine sets."""
