"""Hero Admin."""
