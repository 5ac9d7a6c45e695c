"""The sealed format: bytes that only the holder of one P-256 key can open. Pure.

    head | sender's ephemeral public key, raw 65 | iv 12 | AES-256-GCM ciphertext and tag
    key = HKDF-SHA256(ECDH shared x, salt = ephemeral raw ‖ recipient raw, info, 32 bytes)
    additional data = head ‖ key id

The head is a version byte. 1: one document, or a key (the head is this byte alone). 2: several documents
under one seal, for a run of QR codes (`server.bundle`); a second byte says how many, so that whoever carries
it can count them.

The phone's half is `pwa/src/data/seal.ts`. A new ephemeral key for each record means that the AES key is
used once, so the random iv can never repeat under it.
"""

import base64
import binascii
import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Purpose(NamedTuple):
    """What bytes are for: sealed for one purpose, they do not open for another. `head`: its length."""

    version: int
    info: bytes
    head: int


RECORD = Purpose(1, b"camket sealed 1", 1)
SEVERAL = Purpose(2, b"camket sealed 2", 2)
RECOVERY = Purpose(1, b"camket recovery 1", 1)

_POINT, _IV, _TAG = 65, 12, 16


class NotOpened(Exception):
    """Not of this format, changed on the way, or sealed to another key."""


def seal(
    plain: bytes, to: EllipticCurvePublicKey, key_id: str, purpose: Purpose, about: bytes = b""
) -> bytes:
    """Seal bytes to a public key; `about` is what the head says after the version."""
    ephemeral = generate_private_key(SECP256R1())
    iv = os.urandom(_IV)
    head = bytes([purpose.version]) + about
    sender = raw(ephemeral.public_key())
    key = _key(ephemeral.exchange(ECDH(), to), sender + raw(to), purpose.info)
    return head + sender + iv + AESGCM(key).encrypt(iv, plain, head + key_id.encode())


def unseal(record: bytes, private: EllipticCurvePrivateKey, key_id: str, purpose: Purpose) -> bytes:
    """Open what was sealed to this key. Raises `NotOpened`."""
    head, rest = record[: purpose.head], record[purpose.head :]
    if len(rest) < _POINT + _IV + _TAG or head[0] != purpose.version:
        raise NotOpened
    sender, iv = rest[:_POINT], rest[_POINT : _POINT + _IV]
    try:
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender)
        key = _key(private.exchange(ECDH(), point), sender + raw(private.public_key()), purpose.info)
        return AESGCM(key).decrypt(iv, rest[_POINT + _IV :], head + key_id.encode())
    except (ValueError, InvalidTag) as error:  # ValueError: not a point on the curve
        raise NotOpened from error


def raw(public: EllipticCurvePublicKey) -> bytes:
    """A public key as its 65 bytes (uncompressed point)."""
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def b64url(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64url(text: str) -> bytes:
    """Back from base64url, padded or not. Raises `NotOpened` for anything else."""
    if "+" in text or "/" in text:  # the other alphabet, which the decoder would let pass
        raise NotOpened
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise NotOpened from error


def _key(shared: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(shared)
