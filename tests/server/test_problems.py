"""The one table: every problem has a status, a name and a sentence, on a page or in JSON."""

import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from server.auth import errors as auth
from server.blobs import OffsetAhead
from server.problems import TABLE, BadRequest, Caught, TooLarge, handlers, note, said
from server.scribe import NotTaken
from server.words import words
from sync.hooks import Refused

SAMPLES: dict[type[Exception], tuple[Any, ...]] = {
    BadRequest: (),
    TooLarge: (16,),
    NotTaken: ([Refused("household:1", "1-a", "forbidden", "because")],),
    auth.TooManyAttempts: (30,),
    auth.PasswordTooShort: (12,),
    OffsetAhead: (24_000,),
}


def request(path: str, method: str = "GET", accept: str = "vi") -> Request:
    headers = [(b"accept-language", accept.encode())]
    return Request({"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""})


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: str(kind.__name__))
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_problem_is_said_with_its_values(kind: type[Exception], lang: str) -> None:
    problem, values = said(kind(*SAMPLES.get(kind, ())))
    sentence = problem.reason(words(lang), **values)
    assert len(sentence) > 8
    assert "{" not in sentence
    assert 400 <= problem.status < 600


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: str(kind.__name__))
def test_every_problem_is_json_for_programs_and_a_page_in_the_office(kind: type[Exception]) -> None:
    error = kind(*SAMPLES.get(kind, ()))
    handler = handlers()[kind]
    told = handler(request("/join", "POST"), error)
    body = json.loads(bytes(told.body))
    assert set(body) == {"error", "reason"}
    page = handler(request("/office/people", "POST"), error)
    assert page.status_code == told.status_code == TABLE[kind].status
    assert page.headers["content-type"].startswith("text/html")
    assert body["reason"] in bytes(page.body).decode().replace("&#x27;", "'")


def test_a_limit_says_when_to_come_back() -> None:
    told = handlers()[auth.TooManyAttempts](request("/join"), auth.TooManyAttempts(30))
    assert (told.status_code, told.headers["retry-after"]) == (429, "30")


def test_a_page_without_a_session_leads_to_the_login_and_a_form_does_not() -> None:
    handler = handlers()[auth.SignInNeeded]
    assert handler(request("/office/people"), auth.SignInNeeded()).headers["location"] == "/office/login"
    assert handler(request("/office/people", "POST"), auth.SignInNeeded()).status_code == 401


def test_what_somebody_wrote_is_escaped_on_the_page() -> None:
    error = NotTaken([Refused("x", "1-a", "forbidden", "<script>alert(1)</script>")])
    page = handlers()[NotTaken](request("/office/import", "POST"), error)
    assert b"<script>" not in page.body


def test_the_log_has_frames_and_no_text_of_the_error(caplog: pytest.LogCaptureFixture) -> None:
    name = "Nông Thị " + "Bích"
    try:
        raise ValueError(name)
    except ValueError as error:
        number = note(error)
    assert number in caplog.text
    assert "test_problems" in caplog.text
    assert name not in caplog.text


async def test_a_request_that_breaks_off_is_no_error_of_the_servers(caplog: pytest.LogCaptureFixture) -> None:
    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()

    async def cut() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await Caught(reading)(
        {"type": "http", "method": "POST", "path": "/db/_exchange", "headers": []}, cut, send
    )
    assert sent[0]["status"] == 400
    assert caplog.text == ""
