"""An invitation: once, for 72 hours, replaceable until the phone has spoken, with limited attempts."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from server import archive, ledger
from server.auth import devices, invitations, limits, tokens, users
from server.auth.devices import Before, Issued
from server.auth.errors import InvitationGone, InvitationUnknown, TooManyAttempts
from server.auth.grant import Grant
from server.auth.users import Person
from sync.errors import TooManyRequests
from sync.rev import Rev
from tests.server.auth.conftest import PASSWORD, Hands
from tests.server.harness import restored

ADDRESS = "192.0.2.7"


def invited(engine: Engine, clock: Hands, person: Person) -> str:
    with engine.begin() as rows:
        return invitations.invite(rows, person.id, by="console", now=clock()).code


def redeemed(engine: Engine, clock: Hands, code: str, *before: Before) -> Issued:
    return invitations.redeem(engine, code, "Samsung A10", ADDRESS, clock(), before)[1]


def granted(engine: Engine, credential: str) -> Grant | None:
    with engine.begin() as rows:
        return devices.grant_of(rows, credential)


def hear(engine: Engine, clock: Hands, issued: Issued) -> None:
    with engine.begin() as rows:
        devices.heard(rows, issued.device, clock())


def test_a_code_is_shown_in_two_halves_and_read_however_it_is_typed() -> None:
    shown = tokens.show_code("0A1BCDEFGH")
    assert shown == "0A1BC-DEFGH"
    for typed in ("0A1BC-DEFGH", "0a1bc-defgh", " oaibc defgh ", "OALBC–DEFGH", "0A1BCDEFGH"):
        assert tokens.read_code(typed) == "0A1BCDEFGH"


def test_joining_gives_the_persons_hamlets(engine: Engine, clock: Hands, volunteer: Person) -> None:
    issued = redeemed(engine, clock, invited(engine, clock, volunteer).lower())
    full, send = granted(engine, issued.credential), granted(engine, issued.send)
    assert full is not None
    assert send is not None
    assert full.databases == ("commune", "hamlet-nahinh", "hamlet-pacngam")
    assert full.may_write("hamlet-nahinh")
    assert not full.may_write("commune")
    assert not full.may_read("hamlet-other")
    assert (full.send_only, send.send_only) == (False, True)
    assert not send.may_read("hamlet-nahinh")


def test_until_the_phone_speaks_joining_again_replaces_it(
    engine: Engine, clock: Hands, volunteer: Person
) -> None:
    code = invited(engine, clock, volunteer)
    first, second = redeemed(engine, clock, code), redeemed(engine, clock, code)
    before, after = granted(engine, first.credential), granted(engine, second.credential)
    assert before is not None
    assert not before.live
    assert after is not None
    assert after.live
    with engine.begin() as rows:
        assert [phone.id for phone in devices.listing(rows)] == [second.device]


def test_after_the_first_exchange_the_invitation_is_spent(
    engine: Engine, clock: Hands, volunteer: Person
) -> None:
    code = invited(engine, clock, volunteer)
    issued = redeemed(engine, clock, code)
    hear(engine, clock, issued)
    with pytest.raises(InvitationGone):
        redeemed(engine, clock, code)
    grant = granted(engine, issued.credential)
    assert grant is not None
    assert grant.live


def test_a_phone_that_was_replaced_spends_nothing(engine: Engine, clock: Hands, volunteer: Person) -> None:
    code = invited(engine, clock, volunteer)
    first = redeemed(engine, clock, code)
    redeemed(engine, clock, code)
    hear(engine, clock, first)
    redeemed(engine, clock, code)


@pytest.mark.parametrize(("hours", "works"), [(71.9, True), (72, False), (100, False)])
def test_an_invitation_lasts_72_hours(
    engine: Engine, clock: Hands, volunteer: Person, hours: float, works: bool
) -> None:
    code = invited(engine, clock, volunteer)
    clock.move(hours=hours)
    if works:
        redeemed(engine, clock, code)
    else:
        with pytest.raises(InvitationGone):
            redeemed(engine, clock, code)


def test_a_withdrawn_invitation_is_gone(engine: Engine, clock: Hands, volunteer: Person) -> None:
    with engine.begin() as rows:
        made = invitations.invite(rows, volunteer.id, by="console", now=clock())
        assert [one.id for one in invitations.pending(rows, clock())] == [made.id]
        invitations.void(rows, made.id, by="console", now=clock())
        assert invitations.pending(rows, clock()) == []
    with pytest.raises(InvitationGone):
        redeemed(engine, clock, made.code)


def test_a_phone_that_a_restored_server_never_knew_goes_on_as_the_one_that_it_was(
    engine: Engine, clock: Hands, volunteer: Person
) -> None:
    """By an invitation of its person; where the person is from after the backup too, of one of that name."""
    renamed = f" {volunteer.name} "
    restored(engine, clock())
    for number, (user, name) in enumerate([(volunteer.id, "?"), ("afterwards", renamed)]):
        send = f"s.0dph0ne00{number}.a-secret"
        code = invited(engine, clock, volunteer)
        for _ in range(2):  # the first answer was lost
            issued = redeemed(engine, clock, code, Before(send, user, name))
        assert (issued.device, issued.send) == (f"0dph0ne00{number}", send)
        for credential in (issued.credential, send):
            grant = granted(engine, credential)
            assert grant is not None
            assert (grant.user, grant.device, grant.live) == (volunteer.id, f"0dph0ne00{number}", True)
            assert grant.send_only, "until an admin confirms it"
        hear(engine, clock, issued)
        with pytest.raises(InvitationGone):
            redeemed(engine, clock, code, Before(send, user, name))


def claimed(engine: Engine, clock: Hands, person: Person, device: str, secret: str = "a-secret") -> bool:
    before = Before(f"s.{device}.{secret}", person.id, person.name)
    return redeemed(engine, clock, invited(engine, clock, person), before).device == device


@pytest.mark.parametrize(
    ("device", "days", "works"),
    [("0dph0ne001", 0, True), ("0dph0ne001", 8, False), ("office7abc", 0, False), ("0dph0ne", 0, False)],
)
def test_only_what_can_have_been_a_phone_is_one_again_and_only_soon_after_a_restore(
    engine: Engine, clock: Hands, volunteer: Person, device: str, days: int, works: bool
) -> None:
    assert not claimed(engine, clock, volunteer, device), "nothing was lost here"
    restored(engine, clock())
    clock.move(days=days)
    assert claimed(engine, clock, volunteer, device) is works


def test_whose_stamps_are_anothers_is_not_this_persons_phone(
    engine: Engine, clock: Hands, volunteer: Person, admin: Person
) -> None:
    restored(engine, clock())
    with engine.begin() as rows:
        for device, by in (("0dph0ne001", admin.id), ("0dph0ne002", volunteer.id)):
            said = f'{{"by":"{by}","stamps":{{"*":"1772413200000-0000-{device}"}}}}'.encode()
            entry = archive.Entry("d", f"household:{device}", Rev(1, "a"), None, said, False, "sent")
            archive.keep(rows, [entry], "x", None)
    assert not claimed(engine, clock, volunteer, "0dph0ne001")
    assert claimed(engine, clock, volunteer, "0dph0ne002")


def test_one_invitation_is_for_one_phone_from_before(engine: Engine, clock: Hands, volunteer: Person) -> None:
    restored(engine, clock())
    code = invited(engine, clock, volunteer)
    befores = [Before(f"s.0dph0ne00{n}.s", volunteer.id, volunteer.name) for n in (1, 2)]
    assert redeemed(engine, clock, code, befores[0]).device == "0dph0ne001"
    assert redeemed(engine, clock, code, befores[1]).device != "0dph0ne002"


def test_two_that_say_they_were_one_phone_are_seen_by_an_admin(
    engine: Engine, clock: Hands, volunteer: Person, admin: Person
) -> None:
    restored(engine, clock())
    assert claimed(engine, clock, volunteer, "0dph0ne001", "junk")
    with engine.begin() as rows:
        assert devices.find(rows, "0dph0ne001").claim == "unproven"
    assert not claimed(engine, clock, volunteer, "0dph0ne001", "the-true-one")
    with engine.begin() as rows:
        assert devices.find(rows, "0dph0ne001").claim == "contested"
        devices.confirm(rows, "0dph0ne001", by=admin.id, now=clock())
        assert devices.find(rows, "0dph0ne001").claim is None
    assert claimed(engine, clock, volunteer, "0dph0ne001", "junk")
    with engine.begin() as rows:
        assert devices.find(rows, "0dph0ne001").send_only_at is None


def test_nobody_takes_the_place_of_another_phone(
    engine: Engine, clock: Hands, volunteer: Person, admin: Person
) -> None:
    mine = redeemed(engine, clock, invited(engine, clock, volunteer))
    theirs = redeemed(engine, clock, invited(engine, clock, admin))
    gone = redeemed(engine, clock, invited(engine, clock, volunteer))
    with engine.begin() as rows:
        devices.revoke(rows, gone.device, by=admin.id, now=clock())
        ledger.note_revoked(rows, [("", "0nknawn001")], "x", admin.id)
    restored(engine, clock())
    for send, user, name in [
        (f"s.{mine.device}.not-it", volunteer.id, "x"),
        (theirs.send, volunteer.id, volunteer.name),
        (gone.send, volunteer.id, "x"),
        ("s.0nknawn001.revoked-in-the-ledger", volunteer.id, "x"),
        ("s.0nknawn002.of-somebody-else", admin.id, volunteer.name),
        ("s.0nknawn003.of-somebody-else", "afterwards", "Người khác"),
        ("nothing", volunteer.id, "x"),
    ]:
        issued = redeemed(engine, clock, invited(engine, clock, volunteer), Before(send, user, name))
        assert issued.device not in send
        assert issued.send != send
    for phone in (mine, theirs):
        assert granted(engine, phone.credential)


def test_a_revoked_person_cannot_join(engine: Engine, clock: Hands, volunteer: Person) -> None:
    code = invited(engine, clock, volunteer)
    with engine.begin() as rows:
        users.revoke(rows, volunteer.id, by="console", now=clock())
    with pytest.raises(InvitationGone):
        redeemed(engine, clock, code)


def test_ten_wrong_codes_shut_an_address_out_for_a_quarter_of_an_hour(
    engine: Engine, clock: Hands, volunteer: Person
) -> None:
    code = invited(engine, clock, volunteer)
    for _ in range(limits.CODE_BY_ADDRESS.failures):
        with pytest.raises(InvitationUnknown):
            redeemed(engine, clock, "ZZZZZ-ZZZZZ")
    with pytest.raises(TooManyAttempts) as refused:
        redeemed(engine, clock, code)
    assert refused.value.retry_after == 15 * 60
    invitations.redeem(engine, code, "another phone", "192.0.2.8", clock())
    clock.move(minutes=15)
    redeemed(engine, clock, code)


def test_joining_thirty_phones_from_one_office_is_no_attack(
    engine: Engine, clock: Hands, volunteer: Person
) -> None:
    for _ in range(30):
        redeemed(engine, clock, invited(engine, clock, volunteer))


def test_addresses_are_not_kept_readable(engine: Engine, clock: Hands) -> None:
    with pytest.raises(InvitationUnknown):
        redeemed(engine, clock, "ZZZZZ-ZZZZZ")
    with engine.begin() as rows:
        kept = rows.exec_driver_sql("SELECT key FROM attempt").scalars().all()
    assert len(kept) == 1
    assert ADDRESS not in kept[0]


def test_no_secret_is_stored(engine: Engine, clock: Hands, volunteer: Person) -> None:
    code = invited(engine, clock, volunteer)
    issued = redeemed(engine, clock, code)
    with engine.begin() as rows:
        stored = repr(rows.exec_driver_sql("SELECT * FROM device").all())
        stored += repr(rows.exec_driver_sql("SELECT * FROM invitation").all())
    for secret in (code, code.replace("-", ""), issued.credential.split(".")[2], issued.send.split(".")[2]):
        assert secret not in stored


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "d",
        "d.",
        "d..",
        "x.abc.def",
        "d.unknown.secret",
        "Bearer",
        "d.\u0111\u0111\u0111\u0111.x",
        "s.a.b.c",
    ],
)
def test_what_is_no_credential_grants_nothing(engine: Engine, credential: str) -> None:
    assert granted(engine, credential) is None


def test_one_credential_is_not_the_other(engine: Engine, clock: Hands, volunteer: Person) -> None:
    issued = redeemed(engine, clock, invited(engine, clock, volunteer))
    swapped = "d" + issued.send[1:]
    assert granted(engine, swapped) is None
    assert granted(engine, issued.credential[:-1] + ("a" if issued.credential[-1] != "a" else "b")) is None


def test_phones_are_revoked_one_by_one(engine: Engine, clock: Hands, volunteer: Person) -> None:
    lost, kept = (redeemed(engine, clock, invited(engine, clock, volunteer)) for _ in range(2))
    with engine.begin() as rows:
        devices.revoke(rows, lost.device, by="console", now=clock())
        devices.revoke(rows, lost.device, by="console", now=clock())
    gone, still = granted(engine, lost.send), granted(engine, kept.credential)
    assert gone is not None
    assert not gone.live
    assert still is not None
    assert still.live


def test_a_revoked_person_takes_all_phones_along(engine: Engine, clock: Hands, volunteer: Person) -> None:
    phones = [redeemed(engine, clock, invited(engine, clock, volunteer)) for _ in range(2)]
    with engine.begin() as rows:
        users.revoke(rows, volunteer.id, by="console", now=clock())
        users.restore(rows, volunteer.id, by="console", now=clock())
    for phone in phones:
        grant = granted(engine, phone.credential)
        assert grant is not None
        assert not grant.live


def test_hamlets_are_read_afresh(engine: Engine, clock: Hands, volunteer: Person) -> None:
    issued = redeemed(engine, clock, invited(engine, clock, volunteer))
    with engine.begin() as rows:
        users.give_hamlets(rows, volunteer.id, ["kheda"], by="console", now=clock())
    grant = granted(engine, issued.credential)
    assert grant is not None
    assert grant.databases == ("commune", "hamlet-kheda")


def test_a_staff_link_sets_one_password(rows: Connection, clock: Hands, admin: Person) -> None:
    link = invitations.staff_link(rows, admin.id, by="console", now=clock(), url="https://x.vn")
    token = link.removeprefix("https://x.vn/office/first?token=")
    assert invitations.holder(rows, token, clock()).id == admin.id
    invitations.first_password(rows, token, "một mật khẩu khác hẳn", clock())
    assert users.by_password(rows, "cuong", "một mật khẩu khác hẳn").id == admin.id
    with pytest.raises(InvitationGone):
        invitations.first_password(rows, token, PASSWORD, clock())


def test_an_older_staff_link_is_dead_once_there_is_a_newer_one_or_a_password(
    rows: Connection, clock: Hands, admin: Person
) -> None:
    links = [invitations.staff_link(rows, admin.id, by="console", now=clock(), url="x") for _ in range(3)]
    tokens_of = [link.removeprefix("x/office/first?token=") for link in links]
    with pytest.raises(InvitationGone):
        invitations.holder(rows, tokens_of[1], clock())
    invitations.first_password(rows, tokens_of[2], "một mật khẩu khác hẳn", clock())
    for token in tokens_of:
        with pytest.raises(InvitationGone):
            invitations.first_password(rows, token, PASSWORD, clock())
    assert users.by_password(rows, "cuong", "một mật khẩu khác hẳn").id == admin.id


def test_a_phones_code_is_no_staff_link(rows: Connection, clock: Hands, admin: Person) -> None:
    code = invitations.invite(rows, admin.id, by="console", now=clock()).code
    with pytest.raises(InvitationUnknown):
        invitations.first_password(rows, tokens.read_code(code), PASSWORD, clock())


def test_seen_is_noted_once_an_hour(rows: Connection, clock: Hands, volunteer: Person) -> None:
    made = invitations.invite(rows, volunteer.id, by="console", now=clock())
    issued = devices.enrol(rows, volunteer, "phone", made.id, clock())
    assert devices.unheard(rows, issued.device, clock())
    devices.heard(rows, issued.device, clock())
    clock.move(minutes=59)
    assert not devices.unheard(rows, issued.device, clock())
    clock.at += timedelta(minutes=1)
    assert devices.unheard(rows, issued.device, clock())


def test_a_caller_may_ask_in_bursts_and_then_at_a_pace(clock: Hands) -> None:
    buckets = limits.Buckets(burst=3, rate=2, most=2)
    for _ in range(3):
        buckets.take("phone", clock())
    with pytest.raises(TooManyRequests):
        buckets.take("phone", clock())
    buckets.take("another", clock())
    clock.move(seconds=0.25)
    with pytest.raises(TooManyRequests):
        buckets.take("phone", clock())
    clock.move(seconds=0.25)
    buckets.take("phone", clock())
    with pytest.raises(TooManyRequests):
        buckets.take("phone", clock())
    clock.move(hours=1)
    for _ in range(3):
        buckets.take("phone", clock())
