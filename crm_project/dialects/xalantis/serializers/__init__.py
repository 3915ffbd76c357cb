"""Xalantis' words: those of its first generation, and those of v1."""
