"""Rules of contacts: required and allowed fields of people and companies. No query, no clock."""

from crm_project.errors import FieldError
from crm_project.records.phones import normalize_phone
from crm_project.records.text import fold, tidy

# A person's folded full name and normalized phone number.
PersonKey = tuple[str, str]


def folded_name(*parts: str) -> str:
    """A name for comparison: without case, accents and superfluous spaces."""
    return fold(tidy(" ".join(parts)))


def company_key(name: str) -> str:
    """A company's name for comparison; never empty for a name that is not blank."""
    return folded_name(name) or tidy(name)


def phone_key(phone: str, country: str) -> str:
    """A phone number for comparison. A text without digits is compared as a name."""
    return normalize_phone(phone, country) or folded_name(phone)


def person_key(first_name: str, last_name: str, phone: str, country: str) -> PersonKey:
    return folded_name(first_name, last_name), phone_key(phone, country)


def contact_errors(
    *, kind: str, name: str, first_name: str, last_name: str, email: str, company: object
) -> list[FieldError]:
    """A company needs a name, a person a name or an e-mail address. Only a person may have a company."""
    if kind == "company":
        errors = [] if name.strip() else [FieldError("name", "required", "A company needs a name.")]
        if company is not None:
            errors.append(FieldError("company", "invalid", "A company does not belong to a company."))
        if first_name or last_name:
            errors.append(
                FieldError(
                    "first_name" if first_name else "last_name", "invalid", "A company has a name only."
                )
            )
        return errors
    errors = [FieldError("name", "invalid", "A person has first_name and last_name.")] if name else []
    if not (first_name.strip() or last_name.strip() or email):
        errors.append(FieldError("first_name", "required", "A person needs a name or an e-mail address."))
    return errors
