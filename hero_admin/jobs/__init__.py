"""Jobs: work that takes longer than a request may, done in batches beside the requests."""
