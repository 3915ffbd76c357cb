"""Passwords that attackers try first: those of breaches, with the usual changes, and names, words and patterns."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Guesses beyond 10^8: what a throttled sign-in withstands.
ENOUGH = 3
# zxcvbn accepts no more; the rest of a longer password only adds to it.
LONGEST = 72


class GuessablePasswordValidator:
    """Refuses a password of which zxcvbn, with its lists of common passwords, estimates few guesses."""

    def validate(self, password: str, user: Any = None) -> None:
        # The lists are read into memory at the first use.
        from zxcvbn import zxcvbn

        own = [getattr(user, name, "") or "" for name in ("email", "full_name")]
        parts = [part for text in own for part in (text, *text.replace("@", " ").split())]
        if zxcvbn(password[:LONGEST], user_inputs=parts)["score"] < ENOUGH:
            raise ValidationError(
                _(
                    "This password is easy to guess: it is common, or made of names, words and patterns"
                    " that are."
                )
            )

    def get_help_text(self) -> str:
        return _(
            "Your password can’t be one that is easy to guess, such as a common one with a number added."
        )
