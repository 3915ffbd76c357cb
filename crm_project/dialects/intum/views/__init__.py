"""Intum's endpoints, by what they speak of."""
