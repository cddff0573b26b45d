"""`python -m webapp`."""

from hero_admin import run_commands


def main() -> None:
    run_commands("webapp.app:admin")


# Workers import this module too, under another name.
if __name__ == "__main__":
    main()
