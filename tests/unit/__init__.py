"""What needs neither database nor browser."""
