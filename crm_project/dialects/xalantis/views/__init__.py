"""Xalantis' endpoints, a module for each group of resources."""
