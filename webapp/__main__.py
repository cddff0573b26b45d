"""`python -m webapp`."""

import sys

from hero_admin.gc_tuning import look_seldom

# First of all: looking through what modules make while they are read is an eighth of the start.
look_seldom()

from hero_admin.model.resource import ResourceError  # noqa: E402 - see above

try:
    from hero_admin.cli.main import main
except ResourceError as error:
    # An argument that there is not, where resources are made.
    sys.stderr.write(f"{error}\n")
    sys.exit(2)

# Workers import this module too, under another name.
if __name__ == "__main__":
    main()
