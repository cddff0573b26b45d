"""The audit log: what was done, by whom, and how it was before."""
