"""The project package, and the version of the product (the only place that holds it)."""

__version__ = "0.9.0"
