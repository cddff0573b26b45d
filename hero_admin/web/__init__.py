"""What every request passes: errors, templates, static files, the transaction, security."""
