"""TensorRT engines: build, store, compare."""
