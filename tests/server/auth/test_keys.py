"""The sealed format, the server's keys, and a data key's way back to a phone."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection

from server import keys, recovery, sealing
from server.auth import devices, invitations
from server.auth.errors import RecoveryUnknown
from server.auth.users import Person
from server.keys import KeyUnknown, SecretWrong, Vault, open_vault
from server.sealing import NotOpened
from tests.server.auth.conftest import Hands

KEY = generate_private_key(SECP256R1())
SEALED = sealing.seal(b"a pledge", KEY.public_key(), "k1", sealing.RECORD)


def test_what_is_sealed_opens_again() -> None:
    assert sealing.unseal(SEALED, KEY, "k1", sealing.RECORD) == b"a pledge"


@pytest.mark.parametrize("place", range(0, len(SEALED), 7))
def test_a_changed_byte_anywhere_is_seen(place: int) -> None:
    changed = bytearray(SEALED)
    changed[place] ^= 1
    with pytest.raises(NotOpened):
        sealing.unseal(bytes(changed), KEY, "k1", sealing.RECORD)


@pytest.mark.parametrize(
    "record",
    [b"", b"\x01", SEALED[:60], SEALED[:93], SEALED[:-1], SEALED + b"x", b"\x02" + SEALED[1:]],
    ids=[
        "nothing",
        "a version alone",
        "cut in the key",
        "no ciphertext",
        "a byte short",
        "a byte more",
        "version 2",
    ],
)
def test_what_is_cut_or_of_another_version_does_not_open(record: bytes) -> None:
    with pytest.raises(NotOpened):
        sealing.unseal(record, KEY, "k1", sealing.RECORD)


def test_another_key_another_id_and_another_purpose_do_not_open() -> None:
    for key, key_id, info in (
        (generate_private_key(SECP256R1()), "k1", sealing.RECORD),
        (KEY, "k2", sealing.RECORD),
        (KEY, "k1", sealing.RECOVERY),
    ):
        with pytest.raises(NotOpened):
            sealing.unseal(SEALED, key, key_id, info)


@pytest.mark.parametrize("text", ["!", "a", "a b", "đ", "AA=A", "+/+/"])
def test_what_is_no_base64url_is_refused(text: str) -> None:
    with pytest.raises(NotOpened):
        sealing.from_b64url(text)


def test_keys_are_made_once_and_old_ones_still_open(rows: Connection, vault: Vault, clock: Hands) -> None:
    first = keys.current(rows, vault, "seal", clock())
    assert keys.current(rows, vault, "seal", clock()).id == first.id
    assert keys.current(rows, vault, "recovery", clock()).id != first.id
    sealed = sealing.seal(b"from a stick", first.public, first.id, sealing.RECORD)
    clock.move(days=300)
    second = keys.rotate(rows, vault, "seal", clock())
    assert keys.current(rows, vault, "seal", clock()).id == second.id
    old = keys.opening(rows, vault, "seal", first.id)
    assert sealing.unseal(sealed, old.private, first.id, sealing.RECORD) == b"from a stick"
    assert [pair.id for pair in keys.all_of(rows, vault, "seal")] == [second.id, first.id]
    with pytest.raises(KeyUnknown):
        keys.opening(rows, vault, "recovery", first.id)


def test_another_secret_opens_no_key(rows: Connection, vault: Vault, clock: Hands) -> None:
    keys.current(rows, vault, "seal", clock())
    with pytest.raises(SecretWrong):
        keys.current(rows, Vault(b"another secret"), "seal", clock())


def test_the_secret_of_an_installation_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    sealed = open_vault(tmp_path, None).seal(b"x", b"place")
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    again = open_vault(tmp_path, None)
    assert again.open(sealed, b"place") == b"x"
    with pytest.raises(SecretWrong):
        again.open(sealed, b"another place")
    with pytest.raises(SecretWrong):
        open_vault(tmp_path, "a secret from the environment").open(sealed, b"place")


def test_a_data_key_comes_back_to_the_phone_that_asked(
    rows: Connection, vault: Vault, clock: Hands, volunteer: Person
) -> None:
    data_key, reply = os.urandom(32), generate_private_key(SECP256R1())
    phone = enrolled(rows, clock, volunteer)
    pair = keys.current(rows, vault, "recovery", clock())
    wrapped = sealing.seal(data_key, pair.public, pair.id, sealing.RECOVERY)
    keys.rotate(rows, vault, "recovery", clock())

    asked = recovery.ask(rows, phone, wrapped=wrapped, reply_key=spki(reply), now=clock())
    assert recovery.state(rows, phone, asked) == ("pending", None)
    assert [one.device for one in recovery.waiting(rows)] == [phone]
    recovery.approve(rows, vault, asked, by=volunteer.id, now=clock())

    state, answer = recovery.state(rows, phone, asked)
    assert state == "approved"
    assert sealing.unseal(answer or b"", reply, asked, sealing.RECOVERY) == data_key
    assert recovery.waiting(rows) == []
    with pytest.raises(RecoveryUnknown):
        recovery.state(rows, enrolled(rows, clock, volunteer), asked)


def test_a_refusal_and_a_second_request_end_the_first(
    rows: Connection, clock: Hands, volunteer: Person
) -> None:
    phone, reply = enrolled(rows, clock, volunteer), spki(generate_private_key(SECP256R1()))
    first = recovery.ask(rows, phone, wrapped=b"x", reply_key=reply, now=clock())
    second = recovery.ask(rows, phone, wrapped=b"x", reply_key=reply, now=clock())
    assert recovery.state(rows, phone, first)[0] == "refused"
    recovery.refuse(rows, second, by=volunteer.id, now=clock())
    assert recovery.state(rows, phone, second) == ("refused", None)
    with pytest.raises(RecoveryUnknown):
        recovery.refuse(rows, second, by=volunteer.id, now=clock())


def test_what_was_not_sealed_to_this_server_is_not_approved(
    rows: Connection, vault: Vault, clock: Hands, volunteer: Person
) -> None:
    phone, reply = enrolled(rows, clock, volunteer), spki(generate_private_key(SECP256R1()))
    asked = recovery.ask(rows, phone, wrapped=SEALED, reply_key=reply, now=clock())
    with pytest.raises(NotOpened):
        recovery.approve(rows, vault, asked, by=volunteer.id, now=clock())


@pytest.mark.parametrize("reply_key", [b"", b"no key", pytest.param(None, id="another curve")])
def test_a_reply_key_must_be_one(
    rows: Connection, clock: Hands, volunteer: Person, reply_key: bytes | None
) -> None:
    key = spki(generate_private_key(SECP384R1())) if reply_key is None else reply_key
    with pytest.raises(ValueError):
        recovery.ask(rows, enrolled(rows, clock, volunteer), wrapped=b"x", reply_key=key, now=clock())


def spki(key: object) -> bytes:
    public = key.public_key()  # type: ignore[attr-defined]  # either curve
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def enrolled(rows: Connection, clock: Hands, person: Person) -> str:
    made = invitations.invite(rows, person.id, by="console", now=clock())
    return devices.enrol(rows, person, "phone", made.id, clock()).device
