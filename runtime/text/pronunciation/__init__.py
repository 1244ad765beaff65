"""Words to phonemes: dictionaries, homographs, the letter model."""
