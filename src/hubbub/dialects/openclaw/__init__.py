"""The wire language of OpenClaw clients."""
