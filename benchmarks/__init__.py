"""Benchmarks: this application beside other admins and beside the least that such a page takes.

`python -m benchmarks` starts in `__main__`; `measuring` goes through the databases, and `rounds`
through what is asked on each. A target is something that serves pages: `targets/` says how each is
started and asked; `floors/` and `peers/` hold what is not this application. `load` asks,
`processes` looks at CPU and memory, `databases` has the data ready, and `report` and `chart` write
what was found.
"""
