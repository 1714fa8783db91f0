"""Wire languages, one package each: bytes or records in, bytes or records out."""
