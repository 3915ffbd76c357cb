"""Common passwords are refused, also with the usual changes, wherever a password is set."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from crm_project.accounts.models import Invitation, User
from tests.staff.base import StaffTestCase, action_url, add_url

pytestmark = pytest.mark.once

GUESSABLE = (
    "password1234",
    "Password1234!",
    "P@ssw0rd2026",
    "qwertyuiop123",
    "iloveyou2024!",
    "administrator1",
    "welcome12345",
    "liverpoolfc1",
    "aaaaaaaaaaaa",
    "trustno1trustno1",
)
FINE = ("correct horse battery staple", "Zx9-qLm2_vTr", "quite an unusual phrase", "x" + "7fQ-" * 100)


@pytest.mark.parametrize("password", GUESSABLE)
def test_guessable(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", FINE)
def test_fine(password: str) -> None:
    validate_password(password)


def test_ones_own_name_and_address_are_guessed_first() -> None:
    user = User(email="mirabelle.quist@example.com", full_name="Mirabelle Quist")

    with pytest.raises(ValidationError):
        validate_password("mirabellequist", user)


class DoorTests(StaffTestCase):
    def test_every_page_that_sets_a_password(self) -> None:
        self.bob.member.user.set_password("quite an unusual phrase")
        self.bob.member.user.save(update_fields=["password"])
        weak = {"password": GUESSABLE[1]}
        self.sign_in(self.bob)
        own = {"old_password": "quite an unusual phrase"}
        changed = {**own, "new_password1": GUESSABLE[1], "new_password2": GUESSABLE[1]}
        answers = [self.client.post("/admin/password_change/", changed)]
        self.sign_in(self.alice)
        answers.append(self.client.post(action_url("password", self.bob.member), weak))
        page = self.client.post(add_url(Invitation), {"email": "new@example.com", "role": "rep"})
        answers.append(self.client.post(page.context["link"], weak))
        self.sign_in(self.operator)
        login = {"email": "other@example.com", "full_name": "", "is_active": "on"}
        answers.append(self.client.post(add_url(User), {**login, **weak}))
        answers.append(self.client.post(action_url("password", self.bob.member.user), weak))
        first = {"name": "Acme", "currency": "EUR", "time_zone": "UTC", "owner_email": "o@example.com"}
        organization = add_url(type(self.organization))
        answers.append(self.client.post(organization, {**first, "owner_password": GUESSABLE[1]}))

        for answer in answers:
            assert answer.status_code == 200
            assert "easy to guess" in answer.content.decode()
