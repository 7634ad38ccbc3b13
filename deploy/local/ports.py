"""Which port a program listens on: the usual one, or another when somebody else has it."""

import random
import socket
from collections.abc import Collection, Iterator
from itertools import count
from typing import Final

LOOPBACK: Final = "127.0.0.1"
# Below the range from which the kernel takes the ports of outgoing connections: a client that knocks at a port of that
# range while nobody listens there may end up talking to itself.
_FREE_RANGE: Final = (12_000, 32_000)
_STEP: Final = 20_000


def is_free(port: int) -> bool:
    """Say whether one can listen on this port, and nobody listens on it as `localhost` in the other family."""
    with socket.socket(socket.AF_INET) as four:
        four.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            four.bind((LOOPBACK, port))
        except OSError:
            return False
    try:
        with socket.socket(socket.AF_INET6) as six:
            six.settimeout(0.2)
            return six.connect_ex(("::1", port)) != 0
    except OSError:  # no IPv6 here
        return True


def free_port(besides: Collection[int] = ()) -> int:
    """Pick a free port at random, for tests."""
    return next(
        port for port in iter(lambda: random.randint(*_FREE_RANGE), -1) if port not in besides and is_free(port)
    )


def nearby(wanted: int, besides: Collection[int] = ()) -> int:
    """Return the port wanted, or the next free one above it, far from the usual ones."""
    return next(port for port in _candidates(wanted) if port not in besides and is_free(port))


def _candidates(wanted: int) -> Iterator[int]:
    yield wanted
    start = wanted + _STEP if wanted < _FREE_RANGE[0] else wanted
    yield from (port for port in count(start + 1) if port < 65_536)
