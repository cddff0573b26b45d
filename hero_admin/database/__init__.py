"""Engines, pool, replica, and what a database cannot do now."""
