"""OLLAMA_HOST in all the forms that Ollama's own tools accept, and what of it may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from bot.errors import SettingError

__all__ = ["Address", "parse_host"]

# What Ollama's envconfig assumes: its own port where no scheme is given, the scheme's port where one is.
_PORTS = {"": 11434, "http": 80, "https": 443}
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Where Ollama is."""

    url: str
    """Without credentials, so that it may be shown."""
    is_local: bool
    """Whether it is this machine, so that no proxy may stand between."""
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    """User name and password for HTTP basic authentication."""


def parse_host(value: str) -> Address:
    """Understand OLLAMA_HOST; the empty string is the default. Raises SettingError, which never quotes the value."""
    scheme, separator, rest = value.strip().strip("\"'").rpartition("://")
    authority, _, path = rest.partition("/")
    userinfo, _, hostport = authority.rpartition("@")
    if scheme.lower() not in _PORTS or (separator and not hostport):
        raise _wrong("it starts with http:// or https://, or with a host name.")
    host, port = _host_and_port(hostport, _PORTS[scheme.lower()])
    is_local, host = _for_a_client(host)
    url = f"{scheme.lower() or 'http'}://{host}:{port}/{path}".rstrip("/")
    return Address(url, is_local=is_local, credentials=_credentials(userinfo))


def _wrong(what: str) -> SettingError:
    return SettingError(f"OLLAMA_HOST is not an address: {what} An example is http://127.0.0.1:11434")


def _host_and_port(hostport: str, default_port: int) -> tuple[str, int]:
    try:
        return str(ip_address(hostport.strip("[]"))), default_port
    except ValueError:
        pass
    try:
        split = urlsplit(f"//{hostport}")
        host, port = split.hostname, split.port
    except ValueError as exc:
        raise _wrong(f"the port is a number up to {_MAX_PORT}, and an IPv6 address stands in brackets.") from exc
    if any(character.isspace() or character in "?#\\" for character in hostport):
        raise _wrong("it has no spaces, question marks or number signs.")
    return host or "127.0.0.1", default_port if port is None else port


def _for_a_client(host: str) -> tuple[bool, str]:
    """Whether the host is this machine, and how a client writes it in a URL.

    0.0.0.0 and :: tell a server to listen everywhere. Whoever shares one OLLAMA_HOST between server and bot
    means this machine, and not every system lets a client connect to them.
    """
    try:
        ip = ip_address(host)
    except ValueError:
        return host == "localhost", host
    if ip.is_unspecified:
        ip = ip_address("127.0.0.1" if ip.version == 4 else "::1")  # noqa: PLR2004 (IP's own version number)
    return ip.is_loopback, f"[{ip}]" if ":" in str(ip) else str(ip)


def _credentials(userinfo: str) -> tuple[str, str] | None:
    if not userinfo:
        return None
    user, _, password = userinfo.partition(":")
    return unquote(user), unquote(password)
