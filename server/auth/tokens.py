"""Secrets and ids: how they are minted, read back from a person's typing, and remembered.

Only digests are stored. The secrets have 128 bits and more, or live for hours behind limited attempts, so a
plain SHA-256 is enough; what people choose themselves (passwords) goes through Argon2id in `users`.
"""

import secrets
from hashlib import sha256

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 10
ID_LENGTH = 10

_ID_ALPHABET = CROCKFORD.lower()
_MISREAD = str.maketrans("OIL", "011", "- \u2013\u00a0")


def mint_id(length: int = ID_LENGTH) -> str:
    """A new id of a person or a phone, `[a-z0-9]`: 5 bits a character."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(length))


def is_minted(text: str) -> bool:
    """Whether an id is such as `mint_id` gives: what the office writes with, and a name, is none."""
    return len(text) == ID_LENGTH and set(text) <= set(_ID_ALPHABET)


def mint_secret() -> str:
    """A new secret of 256 bits, safe in a header and in a cookie."""
    return secrets.token_urlsafe(32)


def mint_code() -> str:
    """A new code that a person can type: 50 bits, ten characters that cannot be misread for one another."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(CODE_LENGTH))


def show_code(code: str) -> str:
    """A code as it is printed: `XXXXX-XXXXX`."""
    return f"{code[:5]}-{code[5:]}"


def read_code(typed: str) -> str:
    """A code as it was typed: any case, with or without the dash, O for 0, I and L for 1."""
    return typed.strip().upper().translate(_MISREAD)


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return sha256(secret.encode()).hexdigest()
