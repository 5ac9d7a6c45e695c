"""The server's own keys: one secret that seals what lies in the rows, and the P-256 key pairs.

Phones seal records to the `seal` key and their data key to the `recovery` key. Private keys lie in the rows,
encrypted under the installation's secret: `CAMKET_SECRET`, else a file of mode 0600 in the data directory.
Rotation makes a new pair for what is sealed from now on; older pairs stay, since a bundle may travel for
months before it is opened.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from sqlalchemy import Connection, Row, func, insert, select, update

from server.auth import tokens
from server.clock import instant
from server.rows import tables
from server.rows.engine import table
from server.sealing import b64url

_keys = table(tables.Key)

Purpose = Literal["seal", "recovery"]
SECRET_FILE = "secret.key"  # noqa: S105 - a file's name
_IV = 12
_LOCK = 0x6B657973  # of the key table, on PostgreSQL, where several servers may start at once


class SecretWrong(Exception):
    """The keys in the rows were sealed with another secret than the one given."""


class KeyUnknown(Exception):
    """No key of this server has this id."""


class Vault:
    """Seals what lies in the rows (AES-256-GCM); `purpose` binds a sealed value to its place."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"camket vault 1").derive(secret))

    def seal(self, plain: bytes, purpose: bytes) -> bytes:
        """Seal; `open` with the same purpose gives it back."""
        iv = os.urandom(_IV)
        return iv + self._cipher.encrypt(iv, plain, purpose)

    def open(self, sealed: bytes, purpose: bytes) -> bytes:
        """Open. Raises `SecretWrong`."""
        try:
            return self._cipher.decrypt(sealed[:_IV], sealed[_IV:], purpose)
        except InvalidTag as error:
            raise SecretWrong from error


def open_vault(data: Path, secret: str | None) -> Vault:
    """The vault of an installation; without `CAMKET_SECRET` its secret is made at the first start."""
    if secret is not None:
        return Vault(secret.encode())
    path = data / SECRET_FILE
    data.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Vault(path.read_bytes())
    made = os.urandom(32)
    with os.fdopen(file, "wb") as out:
        out.write(made)
        out.flush()
        os.fsync(out.fileno())  # lost with the power, it would take every key in the rows with it
    return Vault(made)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair and its id, which goes into what is sealed."""

    id: str
    private: EllipticCurvePrivateKey

    @property
    def public(self) -> EllipticCurvePublicKey:
        """What phones seal to."""
        return self.private.public_key()

    def tell(self) -> dict[str, str]:
        """The public half as it travels: id, and SubjectPublicKeyInfo in base64url."""
        der = self.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {"id": self.id, "spki": b64url(der)}


def current(connection: Connection, vault: Vault, purpose: Purpose, now: datetime) -> KeyPair:
    """The pair to seal to now, made where there is none. Raises `SecretWrong`."""
    newest = select(_keys).where(_keys.c.purpose == purpose, _keys.c.retired_at.is_(None))
    found = connection.execute(newest).one_or_none()
    if found is None and connection.dialect.name == "postgresql":  # another server may be making it now
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        found = connection.execute(newest).one_or_none()
    return _pair(vault, found) if found else _make(connection, vault, purpose, now)


def opening(connection: Connection, vault: Vault, purpose: Purpose, key_id: str) -> KeyPair:
    """The pair of this id, retired ones included. Raises `KeyUnknown`, `SecretWrong`."""
    asked = select(_keys).where(_keys.c.purpose == purpose, _keys.c.id == key_id)
    found = connection.execute(asked).one_or_none()
    if found is None:
        raise KeyUnknown
    return _pair(vault, found)


def all_of(connection: Connection, vault: Vault, purpose: Purpose) -> list[KeyPair]:
    """Every pair of a purpose, the newest first. Raises `SecretWrong`."""
    found = connection.execute(select(_keys).where(_keys.c.purpose == purpose))
    rows = sorted(found, key=lambda row: (row.retired_at is None, row.created_at), reverse=True)
    return [_pair(vault, row) for row in rows]


def rotate(connection: Connection, vault: Vault, purpose: Purpose, now: datetime) -> KeyPair:
    """A new pair to seal to; the one before still opens what it sealed."""
    in_use = (_keys.c.purpose == purpose) & _keys.c.retired_at.is_(None)
    connection.execute(update(_keys).where(in_use).values(retired_at=instant(now)))
    return _make(connection, vault, purpose, now)


def public_key(der: bytes) -> EllipticCurvePublicKey:
    """A P-256 public key from its SubjectPublicKeyInfo. Raises `ValueError`."""
    key = load_der_public_key(der)
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("not a P-256 key")
    return key


def _make(connection: Connection, vault: Vault, purpose: Purpose, now: datetime) -> KeyPair:
    pair = KeyPair(tokens.mint_id(8), generate_private_key(SECP256R1()))
    der = pair.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    connection.execute(
        insert(_keys).values(
            id=pair.id,
            purpose=purpose,
            spki=pair.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            private=vault.seal(der, _place(purpose, pair.id)),
            created_at=instant(now),
        )
    )
    return pair


def _pair(vault: Vault, row: Row[tuple[object, ...]]) -> KeyPair:
    private = load_der_private_key(vault.open(row.private, _place(row.purpose, row.id)), None)
    assert isinstance(private, EllipticCurvePrivateKey)
    return KeyPair(row.id, private)


def _place(purpose: str, key_id: str) -> bytes:
    return f"key {purpose} {key_id}".encode()
