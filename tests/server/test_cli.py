"""The command line: people, phones and hamlets without a browser, in sentences and never in tracebacks."""

import re
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.__main__ import command_line
from server.cli._console import qr


class Console:
    """A terminal in which CAMKET_DATA is set."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.env = {"CAMKET_DATA": str(data), "LANG": "en_GB.UTF-8"}

    def run(self, *words: str, typed: str | None = None, **env: str) -> Result:
        return CliRunner().invoke(command_line(), words, input=typed, env=self.env | env)

    def says(self, *words: str, typed: str | None = None, **env: str) -> str:
        done = self.run(*words, typed=typed, **env)
        assert done.exit_code == 0, done.output
        return done.output.strip()


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(tmp_path / "data")


def test_help_names_every_family(console: Console) -> None:
    text = console.says("--help")
    assert all(family in text for family in ("serve", "user", "device", "hamlet"))


def test_a_commune_is_set_up_without_a_browser(console: Console) -> None:
    assert console.says("hamlet", "add", "Thôn Nà Sầm") == "nasam"
    assert console.says("hamlet", "add", "bản NÀ SẦM") == "nasam2"
    assert console.says("hamlet", "list").splitlines() == ["nasam  Thôn Nà Sầm", "nasam2  Bản Nà Sầm"]
    volunteer = console.says("user", "add", "Nông Thị Bích", "--role", "volunteer", "--hamlet", "nasam")
    assert re.fullmatch(r"[a-z0-9]{4,16}", volunteer)
    listed = console.says("user", "list")
    assert all(part in listed for part in (volunteer, "volunteer", "nasam", "Nông Thị Bích"))
    invited = console.says("user", "invite", volunteer, "--public-url", "https://camket.example.vn")
    link = re.search(r"https://camket\.example\.vn/join#(\w{5}-\w{5})", invited)
    assert link is not None
    assert link[1] in invited
    assert "https only" not in invited
    assert "█" in invited


def test_hamlets_merge_and_split_without_a_browser_once_that_is_confirmed(console: Console) -> None:
    for name in ("Thôn Nà Sầm", "Thôn Bản Khu"):
        console.says("hamlet", "add", name)
    console.says("user", "add", "Nông Thị Bích", "--role", "volunteer", "--hamlet", "nasam")
    assert console.run("hamlet", "merge", "nasam", "bankhu", typed="n\n").exit_code == 1
    assert "nasam" in console.says("hamlet", "list")
    assert "1 people" in console.says("hamlet", "merge", "nasam", "bankhu", typed="y\n")
    assert console.says("hamlet", "list") == "bankhu  Thôn Bản Khu"
    assert "bankhu" in console.says("user", "list")
    for wrong, told in (
        ("merge bankhu bankhu --yes", "two different hamlets"),
        ("move bankhu nasam", "chosen"),
    ):
        done = console.run("hamlet", *wrong.split())
        assert done.exit_code == 1
        assert told in done.output
    assert "1-20" in console.run("hamlet", "split", "bankhu", "Thôn Mới", "--order", "x").output


def test_without_https_an_invitation_says_why_phones_cannot_join(console: Console) -> None:
    volunteer = console.says("user", "add", "Nông Thị Bích", "--role", "volunteer")
    assert "https only" in console.says("user", "invite", volunteer)
    assert "chỉ cho lưu ngoại tuyến" in console.says("user", "invite", volunteer, LANG="vi_VN.UTF-8")


def test_an_admin_gets_a_link_and_a_password(console: Console) -> None:
    console.says("user", "add", "Hoàng Văn Cường", "--role", "admin", "--login", "cuong")
    link = console.says("user", "admin-link", "cuong", "--public-url", "https://camket.example.vn")
    assert link.startswith("https://camket.example.vn/office/first?token=")
    password = "một mật khẩu đủ dài"
    console.says("user", "password", "cuong", typed=f"{password}\n{password}\n")
    told = console.run("user", "password", "cuong", typed="ngắn\nngắn\n")
    assert (told.exit_code, "at least 12" in told.output) == (1, True)


def test_revoking_is_listed(console: Console) -> None:
    console.says("user", "add", "Hoàng Văn Cường", "--role", "reviewer", "--login", "cuong")
    console.says("user", "revoke", "cuong")
    assert "(revoked)" in console.says("user", "list")
    assert console.says("device", "list") == ""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["user", "revoke", "nobody"], 1, "There is no such person."),
        (["user", "invite", "nobody"], 1, "There is no such person."),
        (["device", "revoke", "nothing"], 1, "There is no such device."),
        (["user", "add", "X", "--role", "king"], 2, "volunteer, hamlet_head"),
        (["user", "add", "X", "--role", "volunteer", "--hamlet", "atlantis"], 2, "atlantis"),
        (["user", "admin-link", "--public-url", "not a url"], 2, "CAMKET_PUBLIC_URL"),
        (["serve", "--tls-cert", "cert.pem"], 2, "--tls-key"),
        (["serve", "--port", "0", "--tls-cert", "no.pem", "--tls-key", "no.pem"], 1, "--tls-cert"),
        (["serve", "--host", "192.0.2.1", "--port", "0"], 1, "192.0.2.1"),
        (["user", "list", "--data", "/dev/null/data"], 1, "/dev/null/data"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    console: Console, words: list[str], code: int, said: str
) -> None:
    done = console.run(*words)
    assert done.exit_code == code
    assert said in re.sub(r"[│\s]+", " ", done.output)
    assert "Traceback" not in done.output


def test_a_login_name_that_is_taken_is_refused(console: Console) -> None:
    add = ("user", "add", "X", "--role", "reviewer", "--login", "cuong")
    console.says(*add)
    done = console.run(*add)
    assert (done.exit_code, done.output.strip()) == (1, "This login name is taken. Choose another.")


def test_another_secret_than_the_datas_own_stops_before_anything_changes(console: Console) -> None:
    console.says("hamlet", "add", "Thôn Nà Sầm")
    done = console.run("hamlet", "add", "Thôn Khe Đa", CAMKET_SECRET="another secret of 16")
    assert done.exit_code == 1
    assert "Nothing was changed" in done.output
    assert console.says("hamlet", "list") == "nasam  Thôn Nà Sầm"


def test_data_of_a_newer_program_are_left_alone(console: Console) -> None:
    console.says("user", "list")
    with sqlite3.connect(console.data / "rows.sqlite") as rows:
        rows.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
    rows.close()
    done = console.run("user", "list")
    assert done.exit_code == 1
    assert "newer Camket" in done.output


def test_a_port_that_is_taken_is_said(console: Console) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = console.run("serve", "--port", port)
    assert (done.exit_code, f"Port {port} is used" in done.output) == (1, True)


def test_a_qr_code_is_drawn_with_its_quiet_zone() -> None:
    lines = qr("https://camket.example.vn/join#ABCDE-12345").splitlines()
    assert len(lines) > 15
    assert set(lines[0]) == {"█"}


def test_the_demo_keeps_out_of_real_data(console: Console) -> None:
    console.says("user", "add", "Hoàng Văn Cường", "--role", "admin")
    done = console.run("demo", "--port", "0")
    assert (done.exit_code, "holds real data" in done.output) == (1, True)
