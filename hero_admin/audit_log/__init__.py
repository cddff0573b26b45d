"""The audit log: who has changed what, and the values before."""
