"""A record shop: a small application with a database, a sign-in and migrations of its own."""
