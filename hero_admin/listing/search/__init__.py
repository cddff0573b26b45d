"""Search and narrow filters at any size: the plan, its candidates, the index they need."""
