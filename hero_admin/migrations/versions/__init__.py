"""The migrations of the library's own tables, written by hand."""
