"""The history as people read it, and undo."""
