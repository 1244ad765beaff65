"""FP16 ranges and errors checked before an engine is built."""
