"""Drivers of published clients, which run outside the test process: in an environment of their own, or in Node.js."""
