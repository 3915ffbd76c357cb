"""ONLYOFFICE's words, a module for each kind of thing that it speaks of."""
