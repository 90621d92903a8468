"""Who may call the server: the hosts by which it is called, the origins of pages, and API keys."""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgevlo.runtime.errors import OutputError, RequestError

_ORIGIN: Final = re.compile(r"null|[a-z][a-z0-9+.-]*://[^/\s,*]+")
_HOST: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^][:@/]*))(?::[0-9]{0,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Hosts and origins that are answered, and keys that are asked for.

    `hosts` are names without a port, lower case; an address that is an IP literal is answered where `any_address`.
    `origins` are those of pages elsewhere, and of desktop apps, that may send requests and read the answers.
    `keys` are SHA-256 digests; none: nobody is asked.
    """

    hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    any_address: bool = False
    origins: frozenset[str] = frozenset()
    keys: tuple[bytes, ...] = ()

    def has_host(self, host: str) -> bool:
        """Whether a Host header calls this server by a name that it answers to."""
        name = _host_name(host)
        if name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address

    def has_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may send requests to this host."""
        scheme, separator, rest = origin.partition("://")
        return origin in self.origins or (bool(separator) and scheme in ("http", "https") and rest == host)

    def key_number(self, authorization: str) -> int | None:
        """Return which key an Authorization header brings, None for none of ours; compared in constant time."""
        scheme, _, key = authorization.partition(" ")
        given = hashlib.sha256(key.strip().encode()).digest()
        found = [number for number, known in enumerate(self.keys) if hmac.compare_digest(known, given)]
        return found[0] if found and scheme.lower() == "bearer" else None


def read_origins(origins: Iterable[str]) -> frozenset[str]:
    """Return origins as browsers write them; raise `RequestError` for what is none."""
    read = frozenset(origin.lower().rstrip("/") for origin in origins)
    for origin in read:
        if not _ORIGIN.fullmatch(origin):
            raise RequestError(
                f"{origin!r} is not an origin; give SCHEME://HOST[:PORT], such as http://tauri.localhost."
            )
    return read


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port and the brackets of IPv6; nothing where it is not one."""
    found = _HOST.fullmatch(host)
    return "" if found is None else (found["v6"] or found["name"]).lower()


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Return the keys of a file, one a line; raise `OutputError` or `RequestError` where there are none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} cannot be read ({error}); it holds keys, one a line.") from error
    if not lines:
        raise RequestError(f"{path} holds no key; write one a line into it.")
    return tuple(hashlib.sha256(line.encode()).digest() for line in lines)
