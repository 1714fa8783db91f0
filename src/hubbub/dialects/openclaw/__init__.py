"""The OpenClaw door: what clawdbot clients take for their gateway.

Nothing is imported here: every command reads the settings, and few need the door.
"""
