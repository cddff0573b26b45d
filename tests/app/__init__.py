"""The whole application, on SQLite and on PostgreSQL."""
