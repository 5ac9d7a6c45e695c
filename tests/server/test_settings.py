"""Flags, then the environment, then defaults."""

from pathlib import Path

import pytest

from server.settings import SettingsWrong, read


def test_defaults_work() -> None:
    settings = read({}, {})
    assert settings.data == Path("data")
    assert settings.rows_url == "sqlite:///data/rows.sqlite"
    assert settings.url == "http://127.0.0.1:8000"
    assert not settings.https


def test_a_flag_beats_the_environment_and_the_environment_beats_the_default() -> None:
    environ = {"CAMKET_PORT": "9000", "CAMKET_HOST": "0.0.0.0", "CAMKET_DATA": "/var/camket"}
    settings = read({"port": 7000, "host": None}, environ)
    assert (settings.port, settings.host, settings.data) == (7000, "0.0.0.0", Path("/var/camket"))


def test_the_public_url_is_what_links_are_built_on() -> None:
    settings = read({}, {"CAMKET_PUBLIC_URL": "https://camket.example.vn/"})
    assert settings.url == "https://camket.example.vn"
    assert settings.https


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"CAMKET_PUBLIC_URL": "camket.example.vn"}, "CAMKET_PUBLIC_URL"),
        ({"CAMKET_PUBLIC_URL": "https://a.vn/path"}, "CAMKET_PUBLIC_URL"),
        ({"CAMKET_PORT": "eighty"}, "CAMKET_PORT"),
        ({"CAMKET_PORT": "70000"}, "CAMKET_PORT"),
        ({"CAMKET_TLS_CERT": "cert.pem"}, "--tls-key"),
        ({"CAMKET_SECRET": "short"}, "CAMKET_SECRET"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsWrong, match=named):
        read({}, environ)


def test_trusted_proxies_are_a_list() -> None:
    assert read({}, {"CAMKET_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2"}).trusted_proxies == (
        "10.0.0.1",
        "10.0.0.2",
    )
