"""From an address to a handler.

CouchDB's addresses are data in their segments (`a%2Fb` is an id, not a path), so routes are matched on the
raw path: it is cut at its slashes first and decoded after. A handler takes a `Call` and answers a response;
who is asking and whether they may was settled before it runs.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from sync import wire
from sync.errors import BadRequest, DatabaseUnknown, InvalidName, MethodNotAllowed, NotFound
from sync.hooks import Action, Application, Caller
from sync.store.interface import Store


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes; a peer that is over them gets a 413 and halves its batch."""

    request: int = 64 * 2**20
    document: int = 8 * 10**6
    local: int = 8 * 10**6


@dataclass(frozen=True, slots=True)
class Parts:
    """What the engine is made of: everything that is not pure is handed in."""

    store: Store
    application: Application
    limits: Limits
    uuid: Callable[[], str]
    """32 lower-case hex digits that nobody can guess."""


class Call:
    """One request on its way: the address taken apart, and who is asking."""

    def __init__(self, parts: Parts, request: Request, caller: Caller, address: "Address") -> None:
        self.parts = parts
        self.request = request
        self.caller = caller
        self._address = address

    @property
    def store(self) -> Store:
        return self.parts.store

    @property
    def db(self) -> str:
        """The database that the address names."""
        return self._address.db or ""

    @property
    def doc_id(self) -> str:
        """The document that the address names (`_design/…` and `_local/…` included)."""
        return self._address.doc_id or ""

    @property
    def file(self) -> str:
        """The attachment that the address names."""
        return self._address.file or ""

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query's parameters; of a repeated one the last. Raises BadRequest."""
        return parse_query(self.request.scope.get("query_string", b""))

    def location(self, doc_id: str = "", *below: str) -> dict[str, str]:
        """Where something of this database is, as a header."""
        kind, slash, name = doc_id.partition("/")
        parts = [kind, name] if slash and kind in {"_design", "_local"} else [doc_id]
        path = "/".join(quote(part, safe="") for part in [self.db, *parts, *below] if part)
        return {"Location": f"{quote(self.request.scope.get('root_path', ''), safe='/%')}/{path}"}

    def asks(self, name: str) -> bool:
        """Whether the query says `name=true`."""
        return self.query.get(name) == "true"

    def shows(self, doc_id: str) -> bool:
        """Whether the caller may see this document."""
        return self.parts.application.shows(self.caller, self.db, doc_id)


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and the form of an address (`/{db}/_changes`), what it takes to be let in, and who answers."""

    method: str
    form: str
    action: Action
    handler: Handler


@dataclass(frozen=True, slots=True)
class Address:
    """A path taken apart: its form, and what stands in the form's places."""

    form: str
    db: str | None = None
    doc_id: str | None = None
    file: str | None = None


def segments(raw_path: bytes, root_path: str) -> list[str]:
    """The decoded segments below the engine's mount point. Raises BadRequest for what is no UTF-8."""
    try:
        path = raw_path.decode("ascii")
        root = quote(root_path, safe="/%")
        if root and path.startswith(root):
            path = path[len(root) :]
        parts = [unquote(part, errors="strict") for part in path.split("/")[1:]]
    except UnicodeDecodeError as error:
        raise BadRequest("The address is not UTF-8.") from error
    while parts and not parts[-1]:
        parts.pop()  # `/db/` equals `/db`
    return parts


def address(parts: Sequence[str]) -> Address:  # noqa: PLR0911 - a table
    """What a path means."""
    match parts:
        case []:
            return Address("/")
        case [name] if name.startswith("_"):
            return Address(f"/{name}")
        case [name, *rest] if name.startswith("_"):
            return Address(f"/{name}/" + "/".join(rest))
        case [db]:
            return Address("/{db}", db)
        case [db, "_local" | "_design" as kind, name, *rest]:
            return _in_document(db, f"{kind}/{name}", rest)
        case [db, "_compact", design]:
            return Address("/{db}/_compact/{design}", db, f"_design/{design}")
        case [db, name, *rest] if name.startswith("_") and not name.startswith(("_local/", "_design/")):
            return Address("/".join(["/{db}", name, *rest]), db, name)
        case [db, doc_id, *rest]:
            return _in_document(db, doc_id, rest)
    raise NotFound


def _in_document(db: str, doc_id: str, rest: Sequence[str]) -> Address:
    if doc_id.startswith("_local/"):
        form = "/{db}/_local/{id}" if not rest else "/{db}/_local/{id}/{file}"
        return Address(form, db, doc_id, "/".join(rest))
    if not rest:
        return Address("/{db}/{id}", db, doc_id)
    if doc_id.startswith("_design/") and rest[0].startswith("_"):
        return Address("/{db}/_design/{id}/{function}", db, doc_id, "/".join(rest))
    return Address("/{db}/{id}/{file}", db, doc_id, "/".join(rest))


def parse_query(query: bytes) -> Mapping[str, str]:
    """Raises BadRequest for what is no UTF-8."""
    found: dict[str, str] = {}
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name:
            try:
                found[_unplus(name)] = _unplus(value)
            except UnicodeDecodeError as error:
                raise BadRequest("The query is not UTF-8.") from error
    return found


def _unplus(text: bytes) -> str:
    return unquote(text.replace(b"+", b" ").decode("ascii"), errors="strict")


class Table:
    """All routes by form and method."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._forms: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._forms.setdefault(route.form, {})[route.method] = route

    def find(self, method: str, place: Address) -> Route:
        """Raises NotFound, MethodNotAllowed, or what is wrong with the id."""
        methods = self._forms.get(place.form)
        if methods is None:
            if place.doc_id is not None:
                wire.check_doc_id(place.doc_id)
            if method == "PUT":
                raise InvalidName(f"Name: '{place.form[1:81]}'. {InvalidName.default}")
            raise DatabaseUnknown
        route = methods.get("GET" if method == "HEAD" else method)
        if route is None:
            allowed = sorted(methods) + (["HEAD"] if "GET" in methods else [])
            raise MethodNotAllowed(f"Only {','.join(allowed)} allowed")
        return route


__all__ = ["Address", "Call", "Handler", "Limits", "Parts", "Route", "Table"]
