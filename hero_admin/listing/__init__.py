"""Lists: the query, its filters and predicates, keyset pages, counts, facets, cells."""
