"""A bundle's graphs on ONNX Runtime: sessions, the backbone over its static KV cache, the image head, embeddings."""
