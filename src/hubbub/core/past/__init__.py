"""The room: as it is, and as it was at any place of the journal."""
