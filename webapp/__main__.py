"""`python -m webapp`."""

import sys

from webapp.garbage import look_seldom

# First of all: looking through what modules make while they are read is an eighth of the start.
look_seldom()

from webapp.admin.resource import ResourceError  # noqa: E402 - see above

try:
    from webapp.cli import main
except ResourceError as error:
    # An argument that there is not, where resources are made.
    sys.stderr.write(f"{error}\n")
    sys.exit(2)

# Workers import this module too, under another name.
if __name__ == "__main__":
    main()
