"""Heroes and teams, administered with Hero Admin."""
