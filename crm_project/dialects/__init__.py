"""The HTTP dialects of other CRMs over the same core. Only the URL configuration imports them.

Each vendor is a package with the same five parts:

`__init__.py`
    A docstring with the table of the vendor's terms, their meaning here, and what the vendor cannot express.
`urls.py`
    One `path()` for each endpoint, in the vendor's order and spelling; `catch_all()` comes last.
`views/`
    A module for each resource. An action reads the body, calls a service of the core and serializes the result.
`serializers/`
    The vendor's field names and formats, in both directions.
`errors.py`
    `answer(problem, request)`: a refusal in the vendor's shape.

What several vendors share is in `kit/`. To add a vendor, copy the most similar package, replace its terms, add one
line to `registry.py` and one to the contract of the vendors in `pyproject.toml`, and write `docs/dialects/<system>.md`
with the table that `manage.py dialect_routes <system>` prints.
"""
