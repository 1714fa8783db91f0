"""Wire languages: bytes or records in, bytes or records out; no I/O."""
