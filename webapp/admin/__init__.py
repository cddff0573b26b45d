"""The administration of any resource: from a SQLModel class to its pages."""
