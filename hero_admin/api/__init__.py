"""The JSON API: the same resources, through the same forms' schemas and the same changes."""
