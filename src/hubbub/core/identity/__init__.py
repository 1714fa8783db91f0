"""Who is who: tokens, keys, and who is here."""
