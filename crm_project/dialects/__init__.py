"""The HTTP dialects of other CRMs, spoken over the same core; nobody imports these rooms, the URL conf mounts them.

A vendor is a folder with the same four files beside its docstring, which holds the table of its words:
`urls.py` (one `path()` per endpoint of the vendor, in the vendor's spelling, a catch-all last), `views.py` (a few lines
each), `wire.py` (all the vendor's words, both directions) and `errors.py` (the vendor's error shape). A new one is made
by copying its neighbour, changing the words, and adding one line to `registry.py`.
"""
