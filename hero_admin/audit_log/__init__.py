"""The history: who has changed what and the values before; and who has read or tried what."""
