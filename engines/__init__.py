"""ONNX to engines: TensorRT 10 and 11, TensorRT-RTX; profiles, keys, FP16 that is proved to hold. No torch."""
