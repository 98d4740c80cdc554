"""The server from its start to its end."""

from __future__ import annotations

import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from untaught.errors import InputError

if TYPE_CHECKING:
    import uvicorn

LOCAL = ("127.0.0.1", "localhost", "::1")
OTHERS = (
    "warning: the page listens on {host}: whoever reaches this machine there and has the address with its token "
    "can upload files, use this processor and see your pictures, which go over the network unencrypted. Safer is "
    "ssh -L {port}:127.0.0.1:{port} THIS_MACHINE, without --host"
)


@dataclass(frozen=True)
class Asked:
    """How the page is to be served; `most` in bytes a file."""

    host: str
    port: int
    open: bool
    most: int


def run(asked: Asked) -> None:
    """Serve the page until Ctrl-C.

    Raises
    ------
    InputError
        If the address cannot be had, or the libraries for it are missing.
    """
    try:
        import uvicorn

        from untaught.serve.app import make_app
    except ImportError as error:
        raise InputError(
            f'the page needs a library that is missing ({error.name}); run pip install "untaught[page]"'
        ) from None
    from untaught.serve.desk import Desk
    from untaught.serve.folder import private_folder, token_of
    from untaught.serve.guard import Guard

    listener = bound(asked.host, asked.port)
    port = listener.getsockname()[1]
    folder = private_folder(port)
    token = token_of(folder, port)
    name = (
        "127.0.0.1" if asked.host in ("0.0.0.0", "::") else f"[{asked.host}]" if ":" in asked.host else asked.host
    )
    address = f"http://{name}:{port}/?token={token}"
    desk = Desk(folder, asked.most)
    app = make_app(desk, lambda: announce(asked, address, port))
    config = uvicorn.Config(
        Guard(app, token, asked.host, port),
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=2**16,
        ws="none",
    )
    try:
        server = ending(uvicorn.Server(config), desk.farewell)
        with closed_with_its_terminal(server):
            server.run(sockets=[listener])
    except KeyboardInterrupt:  # the way to end it
        pass
    finally:
        listener.close()
        shutil.rmtree(folder, ignore_errors=True)


def ending(server: uvicorn.Server, first: Callable[[], None]) -> uvicorn.Server:
    """Return a server that does something before it waits for its connections to end."""
    shutdown = server.shutdown

    async def ended(sockets: list[socket.socket] | None = None) -> None:
        first()
        await shutdown(sockets)

    server.shutdown = ended  # type: ignore[method-assign]
    return server


@contextmanager
def closed_with_its_terminal(server: uvicorn.Server) -> Iterator[None]:
    """Let SIGHUP end a server as SIGTERM does, unless nohup has it ignored."""
    number = getattr(signal, "SIGHUP", None)  # not on every system
    if number is None or signal.getsignal(number) == signal.SIG_IGN:
        yield
        return
    before = signal.signal(number, server.handle_exit)
    try:
        yield
    finally:
        signal.signal(number, before)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    InputError
        If there is no such address, or another program has it.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
        return listener
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the page cannot listen on {host}, port {port}: {reason}; choose another --port (0 takes any that is "
            "free) or --host"
        ) from None


def announce(asked: Asked, address: str, port: int) -> None:
    """Say where the page is, and open it where that is wanted."""
    if asked.host not in LOCAL:
        print(OTHERS.format(host=asked.host, port=port), file=sys.stderr, flush=True)
    print(f"The page is at {address}", flush=True)
    print("Ctrl-C ends it; what was uploaded is then removed.", flush=True)
    if asked.open:
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
