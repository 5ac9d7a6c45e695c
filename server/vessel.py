"""The file that a backup travels in: a tar, encrypted in pieces under a passphrase.

    "camket-backup 1\n" | salt 16 | pieces of up to 1 MiB, each AES-256-GCM (tag included)

The key is scrypt(passphrase, salt). A piece's nonce is its number and whether it is the last, so pieces
cannot be swapped, left out or cut off unseen. Without a passphrase the file is the plain tar.
"""

import io
import os
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"camket-backup 1\n"
PIECE = 2**20
_SALT, _TAG = 16, 16


class NotOpened(Exception):
    """The passphrase is not the one, or the file was changed or cut off."""


def seal(plain: BinaryIO, into: BinaryIO, passphrase: str) -> None:
    """Encrypt a stream."""
    salt = os.urandom(_SALT)
    cipher = AESGCM(_key(passphrase, salt))
    into.write(MAGIC + salt)
    number, piece = 0, plain.read(PIECE)
    while True:
        further = plain.read(PIECE)
        into.write(cipher.encrypt(_nonce(number, last=not further), piece, None))
        if not further:
            return
        number, piece = number + 1, further


def is_sealed(file: BinaryIO) -> bool:
    """Whether a file (read from its start) is encrypted; leaves it at its start."""
    begins = file.read(len(MAGIC))
    file.seek(0)
    return begins == MAGIC


def unseal(file: BinaryIO, into: BinaryIO, passphrase: str) -> None:
    """Decrypt a stream. Raises `NotOpened`; what was written until then is genuine, and not all."""
    file.seek(len(MAGIC), io.SEEK_SET)
    cipher = AESGCM(_key(passphrase, file.read(_SALT)))
    for number, last, piece in _pieces(file):
        try:
            into.write(cipher.decrypt(_nonce(number, last=last), piece, None))
        except InvalidTag as error:
            raise NotOpened from error


def _pieces(file: BinaryIO) -> Iterator[tuple[int, bool, bytes]]:
    number, piece = 0, file.read(PIECE + _TAG)
    while True:
        further = file.read(PIECE + _TAG)
        yield number, not further, piece
        if not further:
            return
        number, piece = number + 1, further


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
