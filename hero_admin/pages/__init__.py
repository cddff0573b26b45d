"""The pages of a resource: one module each."""
