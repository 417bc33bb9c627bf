"""What four users of the server do all day, beside what else they could use for it."""
