"""Browsers that a login has signed in from before: guesses from elsewhere cannot shut them out.

Ten wrong passwords stop guessing at a name for a while, so whoever knows a name could keep its owner out for
good. A browser in which that name has signed in, or set its password by a one-time link, therefore carries a
sealed mark (OWASP's "device cookie") and is counted by itself; all others share the name's count. The mark
opens nothing: it takes the password, and the second factor, all the same (ASVS 5.0, 6.1.1 and 6.3.1).
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

from starlette.responses import Response

from server.auth import tokens
from server.auth.users import normal_login
from server.clock import instant
from server.keys import SecretWrong, Vault

COOKIE = "camket_known"
LASTS = timedelta(days=180)
_PURPOSE = b"known browser"


def mark(vault: Vault, login: str, now: datetime) -> str:
    """What a browser keeps once this login has signed in there."""
    said = json.dumps([normal_login(login), tokens.mint_id(), instant(now + LASTS)])
    return urlsafe_b64encode(vault.seal(said.encode(), _PURPOSE)).decode()


def known(vault: Vault, kept: str | None, login: str, now: datetime) -> str | None:
    """The name by which to count a browser that knows this login, None for any other."""
    try:
        name, number, until = json.loads(vault.open(urlsafe_b64decode(kept or ""), _PURPOSE))
    except (SecretWrong, ValueError):
        return None
    return str(number) if name == normal_login(login) and until > instant(now) else None


def set_cookie(response: Response, kept: str, *, https: bool) -> None:
    """Leave the mark with the browser."""
    seconds = int(LASTS.total_seconds())
    response.set_cookie(COOKIE, kept, seconds, httponly=True, samesite="lax", secure=https, path="/office")
