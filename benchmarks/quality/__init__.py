"""How well systems read the held-out sentences: teacher, codec, token level, k = 4, 6, 8, or any bundle, in one run."""
