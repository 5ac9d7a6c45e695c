"""The demo commune: made up from a seed, filled in through the same doors as real work.

`fill(parts)` makes it where it is not there yet; `accounts(rows)` are the office's logins; `VOLUNTEER` is the
person to invite with a phone.
"""

from server.demo.commune import VOLUNTEER
from server.demo.fill import Account, accounts, fill

__all__ = ["VOLUNTEER", "Account", "accounts", "fill"]
