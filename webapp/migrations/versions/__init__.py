"""The migrations themselves; `python -m webapp revision` writes the next one."""
