"""Quality of systems on the held-out sentences: teacher, codec, token level, any bundles, in one run."""
