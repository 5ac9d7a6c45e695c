"""ULIDs: ids whose text order is the order in which they were made."""

from collections.abc import Callable, Iterator

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Entropy = Callable[[int], bytes]
"""Gives that many random bytes: `secrets.token_bytes`, or a seeded stand-in."""

_RANDOM_BITS = 80


def ulids(ms: int, entropy: Entropy) -> Iterator[str]:
    """ULIDs of one moment (milliseconds since 1970), each above the one before it: the random part counts on.

    https://github.com/ulid/spec, "Monotonicity".
    """
    # The top bit stays free, so that counting on never carries into the time.
    number = (ms << _RANDOM_BITS) | (int.from_bytes(entropy(10)) >> 1)
    while True:
        yield text(number)
        number += 1


def text(number: int) -> str:
    """128 bits as 26 characters of Crockford's base 32."""
    letters = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))
