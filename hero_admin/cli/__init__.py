"""The commands: serve, migrate, doctor, user …."""
