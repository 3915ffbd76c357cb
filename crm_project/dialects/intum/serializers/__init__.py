"""Intum's words, by what they speak of."""
