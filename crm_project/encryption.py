"""Encryption of secrets that have to be read again: keys that sign webhooks.

The keys follow from SECRET_KEY and SECRET_KEY_FALLBACKS: the first one encrypts, all of them decrypt. After a change
of SECRET_KEY, `manage.py reencrypt_secrets` encrypts with the new key, so that the fallback can be removed.
"""

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Separates these keys from everything else that SECRET_KEY signs.
PURPOSE = b"crm.encryption.1"


def encrypt(text: str) -> str:
    return _keys().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises `cryptography.fernet.InvalidToken` if it was encrypted with a key that is no longer configured."""
    return _keys().decrypt(token.encode()).decode()


def reencrypt(token: str) -> str:
    """The same secret, encrypted with the present SECRET_KEY."""
    return _keys().rotate(token.encode()).decode()


def _keys() -> MultiFernet:
    return MultiFernet(
        [Fernet(_derived(key)) for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]]
    )


def _derived(key: str) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
    return base64.urlsafe_b64encode(hkdf.derive(key.encode()))
