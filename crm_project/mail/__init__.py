"""Outgoing mail: a row for each message, written with the business data, and a task that sends it after the commit."""
