"""Settings: structs, loading, provenance and validation."""
