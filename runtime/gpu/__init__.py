"""GPUs: ONNX Runtime with buffers on the device, TensorRT-RTX, and TensorRT engines built and captured there."""
