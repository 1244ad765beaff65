"""Written English to spoken words: fold, strip markup, classify spans, verbalise each by its class."""
