"""A tool for load tests: it fills an organization of its own with any number of deals, by SQL alone.

`DATABASE_URL=postgresql://… python -m tests.load --deals 1000000` prints the slug of the organization and a token.
"""
