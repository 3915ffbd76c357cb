"""A person's name for vendors that have one field where the core has two."""


def split_name(full_name: str) -> dict[str, str]:
    """The core's change: the first name ends at the first space."""
    first, _, last = full_name.strip().partition(" ")
    return {"first_name": first, "last_name": last}
