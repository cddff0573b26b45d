"""`python -m webapp`."""

from webapp.garbage import look_seldom

# First of all: looking through what modules make while they are read is an eighth of the start.
look_seldom()

from webapp.cli import main  # noqa: E402 - see above

# Workers import this module too, under another name.
if __name__ == "__main__":
    main()
