"""Which addresses of the net we write to: those of the open network, and for trials those of this very machine.

One thing to remember: a name says nothing about where it leads; what it resolves to is looked at each time (courier).
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

OURS: Final = ("localhost", "internal", "local", "home.arpa")
"""How names end that lead into a house, and never out of it."""


def is_public(address: str) -> bool:
    """Whether this is an address of the open network, also behind the forms that hide an old address in a new one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        hidden = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if hidden is not None:
            return is_public(str(hidden))
        if found in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast


def is_loopback(address: str) -> bool:
    """Whether this is the machine itself."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def is_sound(url: str, *, plain: bool) -> bool:
    """An address we may write to: https, a host of the open network, no password.

    ``plain`` allows http and this machine, for trials.
    """
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    fine = parts.scheme == "https" or (plain and parts.scheme == "http")
    if not fine or not host or parts.username or parts.password or parts.fragment or port == 0:
        return False
    return url.isprintable() and (_is_open(host) or (plain and _is_here(host)))


def _is_open(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:  # a name
        return not any(host == end or host.endswith(f".{end}") for end in OURS)


def _is_here(host: str) -> bool:
    try:
        return is_loopback(host)
    except ValueError:
        return host == "localhost"
