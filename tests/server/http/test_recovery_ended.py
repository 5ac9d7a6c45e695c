"""After a restore: until when phones that nobody here knows are taken for such as were known before."""

from datetime import timedelta

from sqlalchemy import update

from server import restores
from server.rows import tables
from server.rows.engine import table
from tests.server.http.served import Phone, Served


def strange(phone: Phone) -> bytes:
    """A record of a phone that is not known here."""
    return phone.seal(phone.visit(), send=phone.joined["send"].replace(phone.device, "9zzzzzzzzz"))


async def came(courier: Phone) -> list[str]:
    return [receipt["is"] for receipt in await courier.hand_in(strange(courier))]


async def test_once_all_phones_are_back_strangers_are_strangers_until_the_next_restore(
    camket: Served,
) -> None:
    courier = await camket.phone()
    now, meta = camket.parts.clock(), table(tables.Meta)
    with camket.parts.rows.begin() as rows:
        assert not restores.end(rows, "admin1", now), "nothing was restored"
    camket.restored()
    assert await came(courier) == ["quarantined"]
    with camket.parts.rows.begin() as rows:
        assert restores.lately(rows, now + timedelta(days=1))
        assert restores.end(rows, "admin1", now)
        assert not restores.lately(rows, now + timedelta(days=1)), "nor does one join as who it was"
        assert not restores.end(rows, "admin1", now), "it is over"
    assert await came(courier) == ["forbidden"]
    with camket.parts.rows.begin() as rows:
        rows.execute(update(meta).where(meta.c.key == "epoch").values(value="4fa9c1"))
    assert await came(courier) == ["quarantined"]
