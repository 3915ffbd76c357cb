"""Groups of digits as people in Spain write them."""

THOUSAND_SEPARATOR = "."
