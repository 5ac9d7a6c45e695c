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
        ({"CAMKET_DATABASE_URL": "mysql://x"}, "CAMKET_DATABASE_URL"),
        ({"CAMKET_TRUSTED_PROXIES": "caddy"}, "CAMKET_TRUSTED_PROXIES"),
        ({"CAMKET_TRUSTED_PROXIES": "10.0.0.1/8"}, "CAMKET_TRUSTED_PROXIES"),
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


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("camket.lan", "http://camket.lan:8000"),
    ],
)
def test_the_local_address_can_be_opened(host: str, url: str) -> None:
    assert read({"host": host}, {}).url == url


def test_https_is_known_with_a_certificate_of_ones_own_and_behind_a_proxy() -> None:
    assert read({"tls_cert": Path("c.pem"), "tls_key": Path("k.pem")}, {}).https
    assert read({"public_url": "https://camket.example.vn"}, {}).https


def test_whether_data_are_a_demo_is_not_said_by_the_environment() -> None:
    assert not read({}, {"CAMKET_DEMO": "1"}).demo
