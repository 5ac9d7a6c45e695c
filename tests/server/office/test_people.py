"""People and phones: adding, inviting, revoking, opening a phone again."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server import keys, recovery, sealing
from server.auth import devices, invitations
from tests.server.office.village import PASSWORD, Village


async def test_a_volunteer_is_added_invited_and_the_code_is_shown_once(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        added = await browser.send(
            "/office/people/new",
            {"name": "  Triệu  Thị Sen", "role": "volunteer", "hamlets": ["nasam", "khuoilam", "nowhere"]},
        )
        assert "<h1>Triệu Thị Sen</h1>" in added.text
        base = added.url.path
        shown = await browser.send(f"{base}/invite")
        assert shown.url.path == f"{base}/invitation"
        code = re.search(r"([0-9A-Z]{5}-[0-9A-Z]{5})</span>", shown.text)
        assert code
        assert f"/join#{code[1]}" in shown.text
        assert "<svg" in shown.text
        assert "04/03/2026 09:03" in shown.text, "72 hours"
        assert "Thôn Nà Sầm, Thôn Khuổi Lắm" in shown.text
        again = await browser.client.get(f"{base}/invitation")
        assert again.headers["location"] == base
        assert code[1] not in (await browser.get(base)).text
    person, issued = invitations.redeem(made.parts.rows, code[1], "Máy của Sen", "10.0.0.1", made.now)
    assert (person.name, person.hamlets) == ("Triệu Thị Sen", frozenset({"nasam", "khuoilam"}))
    assert issued.device


async def test_staff_are_added_with_a_login_and_set_their_own_password(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        added = await browser.send(
            "/office/people/new",
            {"name": "Lý Văn Sơn", "role": "reviewer", "login": "Son.LV", "hamlets": ["nasam"]},
        )
        shown = await browser.send(f"{added.url.path}/link")
    link = re.search(r"/office/first\?token=([\w-]+)", shown.text)
    assert link
    async with made.browser() as client:
        form = await client.get(link[0])
        assert "“son.lv”" in form.text
        differ = await client.post(
            "/office/first", data={"token": link[1], "password": PASSWORD, "again": "x"}
        )
        short = await client.post("/office/first", data={"token": link[1], "password": "x", "again": "x"})
        assert (differ.status_code, short.status_code) == (422, 422)
        done = await client.post(
            "/office/first", data={"token": link[1], "password": PASSWORD, "again": PASSWORD}
        )
        assert done.headers["location"] == "/office/login"
        assert (await client.get(link[0])).status_code == 410, "the link is spent"
        entered = await client.post("/office/login", data={"login": "son.lv", "password": PASSWORD})
        assert entered.headers["location"] == "/office"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "", "role": "volunteer", "hamlets": ["nasam"]}, "name"),
        ({"name": "A", "role": "volunteer"}, "hamlets"),
        ({"name": "A", "role": "volunteer", "hamlets": ["nowhere"]}, "hamlets"),
        ({"name": "A", "role": "king"}, "role"),
        ({"name": "A", "role": "reviewer", "login": ""}, "login"),
        ({"name": "A", "role": "observer", "login": "a b"}, "login"),
        ({"name": "A", "role": "admin", "login": "reviewer"}, "login"),
    ],
)
async def test_a_person_who_cannot_be_added_is_not(made: Village, form: dict[str, str], field: str) -> None:
    async with made.signed_in("admin") as browser:
        answer = await browser.post("/office/people/new", form)
        assert answer.status_code == 422
        assert f'id="e-{field}"' in answer.text
        assert "5 người" in (await browser.get("/office/people")).text


async def test_an_invitation_can_be_withdrawn(made: Village) -> None:
    base = f"/office/people/{made.people['volunteer']}"
    async with made.signed_in("admin") as browser:
        await browser.send(f"{base}/invite")
        page = await browser.get(base)
        invitation = re.search(r'name="invitation" value="(\w+)"', page.text)
        assert invitation
        after = await browser.send(f"{base}/void", {"invitation": invitation[1]})
        assert "Lời mời còn hiệu lực" not in after.text


async def test_a_revoked_person_is_out_at_once_and_may_come_back(made: Village) -> None:
    base = f"/office/people/{made.people['reviewer']}"
    async with made.signed_in("reviewer") as theirs, made.signed_in("admin") as browser:
        assert (await theirs.get("/office")).status_code == 200
        await browser.send(f"{base}/revoke")
        assert (await theirs.get("/office")).headers["location"] == "/office/login"
        page = await browser.send(f"{base}/return")
        assert "Đã mở lại tài khoản." in page.text


async def test_nobody_revokes_oneself(made: Village) -> None:
    async with made.signed_in("admin") as browser:
        page = await browser.send(f"/office/people/{made.people['admin']}/revoke")
        assert "Không thể tự thu hồi" in page.text
        assert (await browser.get("/office")).status_code == 200


async def test_a_lost_phone_is_revoked_and_its_last_sync_is_shown(made: Village) -> None:
    who = made.people["volunteer"]
    with made.parts.rows.begin() as rows:
        invited = invitations.invite(rows, who, by="console", now=made.now)
    _, issued = invitations.redeem(made.parts.rows, invited.code, "Samsung <A03>", "10.0.0.1", made.now)
    with made.parts.rows.begin() as rows:
        devices.heard(rows, issued.device, made.now)
    async with made.signed_in("admin") as browser:
        page = await browser.get(f"/office/people/{who}")
        assert "Samsung &lt;A03&gt;" in page.text
        known = "<span>01/03/2026 09:03, hoặc trong 1 giờ sau đó</span>"
        assert known in page.text, "it is written down once an hour"
        assert known in (await browser.get("/office/people")).text
        after = await browser.send(f"/office/devices/{issued.device}/revoke")
        assert after.url.path == f"/office/people/{who}"
        assert 'state-bad">Đã thu hồi' in after.text
        assert (await browser.post("/office/devices/nosuch/revoke")).status_code == 404


async def test_hamlets_are_given_anew(made: Village) -> None:
    base = f"/office/people/{made.people['volunteer']}"
    async with made.signed_in("admin") as browser:
        await browser.send(f"{base}/hamlets", {"hamlets": ["bandanh", "nowhere"]})
        people = (await browser.get("/office/people")).text
    row = people.split("Vi Văn Quân")[1].split("</tr>")[0]
    assert "<span>Thôn Bản Danh</span>" in row


async def test_a_forgotten_pin_waits_for_an_admin(made: Village) -> None:
    who = made.people["volunteer"]
    with made.parts.rows.begin() as rows:
        invited = invitations.invite(rows, who, by="console", now=made.now)
    _, issued = invitations.redeem(made.parts.rows, invited.code, "Máy cũ", "10.0.0.1", made.now)
    reply = generate_private_key(SECP256R1())
    spki = reply.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with made.parts.rows.begin() as rows:
        pair = keys.current(rows, made.parts.vault, "recovery", made.now)
        wrapped = sealing.seal(b"k" * 32, pair.public, pair.id, sealing.RECOVERY)
        asked = recovery.ask(rows, issued.device, wrapped=wrapped, reply_key=spki, now=made.now)
    async with made.signed_in("admin") as browser:
        assert "1 điện thoại quên mã PIN" in (await browser.get("/office/people")).text
        page = await browser.get("/office/recovery")
        assert "Vi Văn Quân" in page.text
        assert "Máy cũ" in page.text
        after = await browser.send(f"/office/recovery/{asked}", {"decision": "approve"})
        assert "Đã đồng ý." in after.text
        assert (await browser.post(f"/office/recovery/{asked}", {"decision": "refuse"})).status_code == 404
    with made.parts.rows.begin() as rows:
        state, answer = recovery.state(rows, issued.device, asked)
    assert state == "approved"
    assert answer
    assert sealing.unseal(answer, reply, asked, sealing.RECOVERY) == b"k" * 32
