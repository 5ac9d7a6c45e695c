"""Which of the records that wait a person looks at: those of one sender, those that wait for one reason."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

from sqlalchemy import Connection, Select, func, select

from server.quarantine import Why
from server.rows import tables
from server.rows.engine import table
from server.words import Words

_quarantine, _users, _devices = table(tables.Quarantine), table(tables.User), table(tables.Device)

Options = list[tuple[str, str]]


class Sieve(NamedTuple):
    """What is looked at; an empty field lets everything through. `last`: the last number that the page could
    have shown which a form was on, so that what came since is decided by nobody who has not seen it."""

    sender: str = ""
    why: str = ""
    last: int | None = None

    @property
    def query(self) -> dict[str, str]:
        """As an address says it."""
        return {name: value for name in ("sender", "why") if (value := getattr(self, name))}

    def href(self, base: str) -> str:
        """The list, seen through this."""
        return f"{base}?{urlencode(self.query)}" if self.query else base

    def of(self, asked: Select[Any]) -> Select[Any]:
        """Those of these entries that come through."""
        for name, value in self.query.items():
            asked = asked.where(_quarantine.c[name] == value)
        return asked if self.last is None else asked.where(_quarantine.c.number <= self.last)


def sieve_of(told: Callable[[str], str]) -> Sieve:
    """As an address or a form says it; what cannot be meant lets everything through."""
    sender, why, last = told("sender"), told("why"), told("last")
    known = last.isascii() and last.isdecimal() and len(last) < 10
    return Sieve(sender[:40], why if why in get_args(Why) else "", int(last) if known else None)


def reasons(rows: Connection, asked: Select[Any], words: Words) -> Options:
    """The reasons for which these wait, with how many do."""
    counted = _counted(rows, asked, "why")
    found = [
        (why, f"{words.say(f'office.quarantine.because.{why}')} ({words.number(counted[why])})")
        for why in get_args(Why)
        if why in counted
    ]
    return [("", words.say("office.quarantine.every_reason")), *found]


def senders(rows: Connection, asked: Select[Any], words: Words) -> Options:
    """Who has handed these in, with how many; whoever has most of them first."""
    counted = _counted(rows, asked, "sender")
    people = select(_users.c.id, _users.c.name).where(_users.c.id.in_(counted))
    phones = select(_devices.c.id, _devices.c.name, _users.c.name.label("person"))
    phones = phones.join(_users, _users.c.id == _devices.c.user).where(_devices.c.id.in_(counted))
    names: dict[str, str] = {row.id: row.name for row in rows.execute(people)}
    names |= {row.id: f"{row.person}, {row.name}" for row in rows.execute(phones)}
    somebody = words.say("office.somebody")
    found = [
        (one, f"{names.get(one, somebody)} ({words.number(count)})")
        for one, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        if one
    ]
    return [("", words.say("office.quarantine.every_sender")), *found]


def _counted(rows: Connection, asked: Select[Any], name: str) -> Mapping[str, int]:
    column = _quarantine.c[name]
    grouped = asked.with_only_columns(column, func.count()).group_by(column)
    return {row[0]: row[1] for row in rows.execute(grouped)}
