"""Lists: queries, filters, predicates, keyset pagination, counts, facets, cells, search."""
