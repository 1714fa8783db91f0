"""All of our own cases, by class."""

from tests.conformance import ends, framing, text


CLASSES = {
    "framing": tuple(framing.framing()),
    "pings": tuple(framing.pings()),
    "reserved bits": tuple(framing.reserved_bits()),
    "opcodes": tuple(framing.opcodes()),
    "fragmentation": tuple(framing.fragmentation()),
    "text": tuple(text.text()),
    "closing": tuple(ends.closings()),
    "limits": tuple(ends.limits()),
    "compression": tuple(ends.compression()),
}

NON_STRICT = {"6.4.1", "6.4.2", "6.4.3", "6.4.4"}
"""Refused at the end of the message instead of at its first wrong byte, as the suite allows."""
