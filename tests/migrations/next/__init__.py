"""The migrations of `deals`, followed by an example of each operation that a later release may use."""

from importlib import import_module
from pkgutil import iter_modules

_current = import_module("deals.migrations")
__path__ = [*__path__, *_current.__path__]
LATEST = max(module.name for module in iter_modules(_current.__path__))
