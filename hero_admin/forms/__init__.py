"""Forms: typed values, three-way merge, hidden fields."""
