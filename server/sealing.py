"""The sealed format: bytes that only the holder of one P-256 key can open. Pure.

    version 1 | sender's ephemeral public key, raw 65 | iv 12 | AES-256-GCM ciphertext and tag
    key = HKDF-SHA256(ECDH shared x, salt = ephemeral raw ‖ recipient raw, info, 32 bytes)
    additional data = version byte ‖ key id

The phone's half is `pwa/src/data/seal.ts`. A new ephemeral key for each record means that the AES key is
used once, so the random iv can never repeat under it.
"""

import base64
import binascii
import os

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

VERSION = b"\x01"
RECORD = b"camket sealed 1"
RECOVERY = b"camket recovery 1"
"""What the bytes are for: bytes sealed for one purpose do not open for the other."""

_POINT, _IV, _TAG = 65, 12, 16


class NotOpened(Exception):
    """Not of this format, changed on the way, or sealed to another key."""


def seal(plain: bytes, to: EllipticCurvePublicKey, key_id: str, info: bytes) -> bytes:
    """Seal bytes to a public key."""
    ephemeral = generate_private_key(SECP256R1())
    iv = os.urandom(_IV)
    sender = raw(ephemeral.public_key())
    key = _key(ephemeral.exchange(ECDH(), to), sender + raw(to), info)
    return VERSION + sender + iv + AESGCM(key).encrypt(iv, plain, VERSION + key_id.encode())


def unseal(record: bytes, private: EllipticCurvePrivateKey, key_id: str, info: bytes) -> bytes:
    """Open what was sealed to this key. Raises `NotOpened`."""
    if len(record) < 1 + _POINT + _IV + _TAG or record[:1] != VERSION:
        raise NotOpened
    sender, iv = record[1 : 1 + _POINT], record[1 + _POINT : 1 + _POINT + _IV]
    try:
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender)
        key = _key(private.exchange(ECDH(), point), sender + raw(private.public_key()), info)
        return AESGCM(key).decrypt(iv, record[1 + _POINT + _IV :], VERSION + key_id.encode())
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
