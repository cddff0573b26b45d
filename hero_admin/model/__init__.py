"""From a SQLModel class to its fields, inputs, schemas, keys and texts."""
