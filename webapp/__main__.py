"""`python -m webapp`."""

from webapp.cli import main

# Workers import this module too, under another name.
if __name__ == "__main__":
    main()
