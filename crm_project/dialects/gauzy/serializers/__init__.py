"""Gauzy's words: its three ways to write a query, its entities, its sales, its people."""
