"""Times of words, phonemes and sentences in an utterance; visemes and captions made of them."""
