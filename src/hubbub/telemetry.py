"""Log set-up and metric objects; no policy."""
