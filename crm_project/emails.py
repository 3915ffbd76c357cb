"""E-mail addresses in one form: lower-case, and the domain in Unicode as IDNA 2008 has it."""

import unicodedata

import idna


def fold_email(email: str) -> str:
    """` Info@XN--BCHER-KVA.example ` → `info@bücher.example`; an address without a valid domain is only lower-cased.

    The domain is stored in Unicode, since that is how people read and search it.
    """
    folded = email.strip().lower()
    local, at, domain = folded.rpartition("@")
    if not at or not _is_international(domain) or has_invisible(folded):
        return folded
    try:
        return f"{local}@{idna.decode(_ascii(domain))}"
    except idna.IDNAError:
        return folded


def ascii_email(email: str) -> str:
    """A folded address with its domain in ASCII, where it has one."""
    local, at, domain = email.rpartition("@")
    if not at or domain.isascii():
        return email
    try:
        return f"{local}@{_ascii(domain)}"
    except idna.IDNAError:
        return email


def has_domain(email: str) -> bool:
    """Whether the domain of an international address has an ASCII form; others are judged by Django's validator."""
    domain = email.rpartition("@")[2]
    try:
        return not _is_international(domain) or bool(_ascii(domain))
    except idna.IDNAError:
        return False


def has_invisible(text: str) -> bool:
    """Whether a text has zero-width, directional or other control characters."""
    return not text.isascii() and any(unicodedata.category(character) in ("Cf", "Cc") for character in text)


def _is_international(domain: str) -> bool:
    return not domain.isascii() or "xn--" in domain


def _ascii(domain: str) -> str:
    encoded = idna.encode(domain, uts46=True).decode("ascii")
    # A label that came in ASCII form is valid only if it decodes.
    idna.decode(encoded)
    return encoded
