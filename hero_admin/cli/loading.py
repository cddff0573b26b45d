"""Loads the Admin of a command by its module and name."""

import os
import sys
from importlib import import_module
from pathlib import Path

from hero_admin.admin import Admin

# The environment variable from which workers read which Admin they serve.
VARIABLE = "HERO_ADMIN_APP"


class LoadError(Exception):
    """The Admin cannot be loaded: one sentence."""


def load_admin(name: str) -> Admin:
    """Return the Admin called `package.module:name`, for the workers of this process, too.

    Raises LoadError, ResourceError.
    """
    module_name, _, attribute = name.partition(":")
    if not attribute or not all(part.isidentifier() for part in module_name.split(".")):
        raise LoadError(f"“{name}” names no Admin: it must be package.module:name.")
    # As `python -m` has it; a script has its own folder there.
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        # A module that it imports may be missing, too.
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise LoadError(f"“{name}” names no Admin: there is no module {error.name}.") from None
    admin = getattr(module, attribute, None)
    if not isinstance(admin, Admin):
        raise LoadError(f"“{name}” names no Admin: {module_name} has no Admin of that name.")
    admin.set_program(f"hero-admin --app {name}")
    os.environ[VARIABLE] = name
    return admin
