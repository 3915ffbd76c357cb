"""Background work: tasks that leave with the transaction, their schedule, and the worker that runs them.

A task is a function of a module `tasks.py`, declared with `api.task`; it takes ids, and no secrets: operators read its
arguments. It runs at least once. `options.options` sets the number of attempts and whether it is one transaction.
"""
