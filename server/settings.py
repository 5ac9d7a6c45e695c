"""What an installation is told: flags, then `CAMKET_*` in the environment, then defaults that work.

Read once, at the command line, and frozen; nothing below reads the environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


_POSTGRESQL = ("postgresql://", "postgresql+psycopg://")


class SettingsWrong(Exception):
    """A setting that cannot be used; the message names it and says what it should look like."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation. `data` is the directory that holds everything that must be backed up.

    `demo` is no setting of the environment: the data themselves say whether they were made up.
    """

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8000
    tls_cert: Path | None = None
    tls_key: Path | None = None
    public_url: str | None = None
    database_url: str | None = None
    secret: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    demo: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work, here rather than at the first request."""
        if self.public_url is not None and not _is_origin(self.public_url):
            raise SettingsWrong("CAMKET_PUBLIC_URL: expected https://name (no path), as phones will open it")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingsWrong("--tls-cert and --tls-key: give both, or neither")
        for proxy in self.trusted_proxies:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise SettingsWrong(f"CAMKET_TRUSTED_PROXIES: {proxy} is no address or network") from error
        if self.database_url is not None and not self.database_url.startswith(_POSTGRESQL):
            raise SettingsWrong("CAMKET_DATABASE_URL: expected postgresql://user@host/database")
        if self.database_url is not None and find_spec("psycopg") is None:
            raise SettingsWrong("CAMKET_DATABASE_URL: install the driver: pip install 'camket[postgresql]'")
        if self.secret is not None and len(self.secret) < 16:
            raise SettingsWrong("CAMKET_SECRET: at least 16 characters")

    @property
    def rows_url(self) -> str:
        """Where the SQLModel rows lie: an SQLAlchemy address."""
        return self.database_url or f"sqlite:///{self.data / 'rows.sqlite'}"

    @property
    def local_url(self) -> str:
        """The address on this machine, for the person who starts the server."""
        host = "127.0.0.1" if self.host in EVERY_ADDRESS else self.host
        name = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_cert else 'http'}://{name}:{self.port}"

    @property
    def url(self) -> str:
        """The address that links are built on."""
        return self.public_url or self.local_url

    @property
    def https(self) -> bool:
        """Whether people reach the server by https, whoever ends the TLS."""
        return self.url.startswith("https://")


VARIABLES = {field.name: f"CAMKET_{field.name.upper()}" for field in fields(Settings) if field.name != "demo"}
"""The environment variable of each setting that has one."""


def read(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Settings from flags (absent or `None`: not given), the environment, and defaults.

    Raises `SettingsWrong`, naming the setting.
    """
    found = {name: flag for name, flag in flags.items() if flag is not None}
    for name, variable in VARIABLES.items():
        if name not in found and (text := environ.get(variable)):
            found[name] = _parse(name, text)
    return Settings(**found)  # type: ignore[arg-type]  # checked field by field in _parse and by Typer


def _parse(name: str, text: str) -> object:
    match name:
        case "data" | "tls_cert" | "tls_key":
            return Path(text)
        case "port":
            if not text.isdecimal() or int(text) > 65535:
                raise SettingsWrong("CAMKET_PORT: expected a number from 0 to 65535")
            return int(text)
        case "trusted_proxies":
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case "public_url":
            return text.rstrip("/")
        case _:
            return text


def _is_origin(url: str) -> bool:
    parts = urlsplit(url)
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and not (parts.path or parts.query or parts.fragment)
    )
