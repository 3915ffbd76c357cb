"""How dates and times are written in the admin: the same way everywhere."""
