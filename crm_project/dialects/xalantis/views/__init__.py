"""Xalantis' endpoints: those of its first generation, and those of v1."""
