"""Tests of the shop's admin, with the test kit."""
