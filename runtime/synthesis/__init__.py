"""One request through all stages: segments, sentences, retries, batches."""
