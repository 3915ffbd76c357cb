"""Xalantis' field names and formats, a module for each group of resources."""
