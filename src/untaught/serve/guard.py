"""Who may talk to the server: the browser that was given the address with the token, and no other page in it."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Served = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
NO_TOKEN = (
    "this address is for whoever started the server: open the one that `untaught serve` printed, with its token. "
    "If the server was started again, it printed a new one"
)
NO_HOST = "the server does not go by this name; use the address that it printed"
FOREIGN = "this was asked by another page, and is not answered"


@dataclass(frozen=True)
class Guard:
    """Answers in place of the application where a request is not from its own page.

    Attributes
    ----------
    served : callable
        The application.
    token : str
        What the address has to hold once, and the cookie from then on.
    host : str
        What the server listens on: 127.0.0.1, or more.
    port : int
        The port.
    """

    served: Served
    token: str
    host: str
    port: int

    @property
    def cookie(self) -> str:
        """The cookie's name, which holds the port: browsers keep no cookies apart by that."""
        return f"untaught-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.served(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._objection(scope, headers)
        if refused is not None:
            await _refuse(send, *refused)
            return
        if scope["path"] == "/" and "token" in _query(scope):
            await self._welcome(send)
            return

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_raw(HEADERS)]
            await send(message)

        await self.served(scope, receive, sent)

    def _objection(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return status and sentence for a request that is not answered, None for one that is."""
        host = headers.get("host", "")
        if not self.known(host):  # another name that leads here would be another origin for the browser
            return 421, NO_HOST
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return 403, FOREIGN
        if scope["method"] not in ("GET", "HEAD") and origin is None:
            return 403, FOREIGN
        if scope["path"] != "/" and headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return 403, FOREIGN
        if scope["path"] == "/" and "token" in _query(scope):
            given = _query(scope)["token"][0]
        else:
            given = _cookies(headers).get(self.cookie, "")
        return None if hmac.compare_digest(given.encode(), self.token.encode()) else (403, NO_TOKEN)

    def known(self, host: str) -> bool:
        """Tell whether the server goes by a name: this machine's, or a bare address where it listens to others."""
        name, port = _split(host)
        if port != self.port:
            return False
        if name in ("127.0.0.1", "localhost", "::1", self.host):
            return True
        if self.host in ("127.0.0.1", "localhost", "::1"):
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.lower() in (socket.gethostname().lower(), socket.getfqdn().lower())
        return True

    async def _welcome(self, send: Send) -> None:
        """Keep the token in a cookie, and take it out of the address, which is seen and written down."""
        kept = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        headers = HEADERS | {"location": "/", "set-cookie": kept, "cache-control": "no-store"}
        await send({"type": "http.response.start", "status": 303, "headers": _raw(headers)})
        await send({"type": "http.response.body", "body": b""})


def _split(host: str) -> tuple[str, int]:
    """Return name and port of a Host header; port 0 where it makes no sense."""
    name, colon, port = host.rpartition(":")
    if not colon or name.endswith(":") or (port.endswith("]")):
        name, port = host, "80"
    return name.strip("[]"), int(port) if port.isdecimal() and len(port) < 6 else 0


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope["query_string"].decode("latin-1"))


def _cookies(headers: dict[str, str]) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def _refuse(send: Send, status: int, sentence: str) -> None:
    """Answer with one sentence; nothing of the request is repeated in it."""
    headers = HEADERS | {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        "connection": "close",
    }
    await send({"type": "http.response.start", "status": status, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": f"untaught: {sentence}.\n".encode()})
