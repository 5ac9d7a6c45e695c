"""The revision tree of one document, flat."""

from collections.abc import Mapping
from typing import NamedTuple

from sync.rev import Rev


class Node(NamedTuple):
    """What a tree knows of one revision."""

    parent: Rev | None
    deleted: bool


Tree = Mapping[Rev, Node]
