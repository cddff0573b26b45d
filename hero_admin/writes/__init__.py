"""Writing records: the only place that does, with an entry in the history."""
