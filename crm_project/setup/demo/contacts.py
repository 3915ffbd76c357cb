"""Random companies and their people, composed of the words of `demo.toml`."""

import re
from collections import Counter
from typing import Any

from contacts.models import Contact
from contacts.services import create_contacts
from crm_project.accounts.actors import Actor
from crm_project.records.text import fold
from crm_project.setup.demo.data import words
from crm_project.setup.demo.organizations import DemoOrganization


class ContactGenerator:
    """Creates contacts; no two contacts of one kind have the same e-mail address."""

    def __init__(self, organization: DemoOrganization) -> None:
        self.organization, self.rng = organization, organization.rng
        self.has_custom_fields = bool(organization.data.get("custom_fields"))
        self.used: Counter[str] = Counter()

    def create(self, actor: Actor, total: int) -> None:
        """Create companies of one to three people each, until the organization has about `total` people."""
        sizes: list[int] = []
        while len(self.organization.people) + sum(sizes) < total:
            sizes.append(self.rng.choice((1, 1, 2, 3)))
        companies = create_contacts(actor=actor, changes=[self._company(actor.member.pk) for _ in sizes])
        employers = [company for company, size in zip(companies, sizes, strict=True) for _ in range(size)]
        people = [self._person(company) for company in employers]
        self.organization.people += create_contacts(actor=actor, changes=people)

    def _company(self, owner: int) -> dict[str, Any]:
        city, postal_code, country, dialing_code = self.rng.choice(words()["cities"])
        name = f"{self._word('company_names')} {self._word('company_trades')}"
        domain = self._unused(_slug(name))
        return {
            "kind": "company",
            "name": f"{name} {self._word('company_forms')}",
            "email": f"contact@{domain}.example",
            "phone": self._phone(dialing_code),
            "website": f"https://{domain}.example",
            "street": f"{self.rng.randint(1, 180)} {self._word('streets')}",
            "postal_code": postal_code,
            "city": city,
            "country": country,
            "origin": self._word("origins"),
            "owner": owner,
        }

    def _person(self, company: Contact) -> dict[str, Any]:
        first, last = self._word("first_names"), self._word("last_names")
        custom_fields = {"language": self.rng.choice(("fr", "en", "de", "pl", "pt")), "newsletter": True}
        return {
            "first_name": first,
            "last_name": last,
            "email": f"{self._unused(f'{_slug(first)}.{_slug(last)}')}@{company.email.partition('@')[2]}",
            "phone": self._phone(company.phone.partition(" 55")[0]),
            "job_title": self._word("job_titles"),
            "company": company.pk,
            "custom_fields": custom_fields if self.has_custom_fields and self.rng.random() < 0.6 else {},
        }

    def _word(self, kind: str) -> str:
        return str(self.rng.choice(words()[kind]))

    def _unused(self, name: str) -> str:
        """The name, with a number if it was used before."""
        self.used[name] += 1
        return name if self.used[name] == 1 else f"{name}-{self.used[name]}"

    def _phone(self, dialing_code: str) -> str:
        """A fictional number: the block 55 is reserved for fiction."""
        return " ".join([dialing_code, "55", *(f"{self.rng.randint(0, 99):02d}" for _ in range(3))])


def _slug(text: str) -> str:
    return re.sub(r"[^a-z]+", "-", fold(text)).strip("-")
