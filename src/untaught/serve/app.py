"""The addresses of the page."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from untaught._version import __version__
from untaught.errors import InputError
from untaught.image.find_format import SUFFIXES
from untaught.methods.registry import METHODS
from untaught.serve import tiles
from untaught.serve.desk import Desk
from untaught.serve.folder import check_size, receive, safe_name
from untaught.serve.folders import receive_folder
from untaught.serve.jobs import PICTURE, RESULT, SPREAD, Job
from untaught.serve.reads import Reads
from untaught.serve.settings import Pixels, Settings

STATIC = Path(__file__).parent / "static"
HEARTBEAT = 10.0
"""Seconds after which a browser that hears nothing is told that the server lives."""
MOST_IN_A_ROW = 4096
"""Values of a line profile."""
SMALL = 2**28
"""Bytes of a mask, a guide or a point-spread function, at the most."""
Slot = Literal["mask", "guide", "psf"]
Kind = Literal["picture", "result", "residual", "spread"]


def make_app(desk: Desk, started: Callable[[], None] = lambda: None) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    desk : Desk
        What is on the page.
    started : callable
        Called when requests are answered.
    """

    @asynccontextmanager
    async def lives(app: FastAPI) -> AsyncIterator[None]:
        desk.open()
        started()
        yield
        await asyncio.to_thread(desk.close)

    app = FastAPI(
        title="untaught", version=__version__, lifespan=lives, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.desk = desk
    app.add_exception_handler(InputError, _said)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)
    for add in (_pages, _uploads, _downloads, _jobs, _pictures):
        add(app, desk)
    return app


async def _said(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 422)


async def _invalid(request: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": ("",), "msg": str(error)}
    what = str(first["msg"]).removeprefix("Value error, ")
    return JSONResponse({"error": f"{first['loc'][-1]}: {what}"}, 422)


async def _plain(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"error": "there is nothing here" if status == 404 else str(error)}, status)


def _job(key: str, request: Request) -> Job:
    """Return the job of an address."""
    job = request.app.state.desk.jobs.get(key)
    if job is None:
        raise HTTPException(404)
    found: Job = job
    return found


Wanted = Annotated[Job, Depends(_job)]


def _pages(app: FastAPI, desk: Desk) -> None:
    """Add the page itself and what keeps it up to date."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/")
    async def index() -> Response:
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-store"})

    @app.get("/api/alive")
    async def alive() -> dict[str, bool]:
        return {"alive": True}

    @app.get("/api/events")
    async def events() -> Response:
        heard = desk.listen()
        first = {
            "kind": "all",
            "version": __version__,
            "most": desk.most,
            "endings": SUFFIXES,
            "methods": {name: entry.summary for name, entry in METHODS.items()},
            "jobs": [job.as_dict() for job in desk.jobs.values()],
            "queue": desk.queue,
        }
        return StreamingResponse(
            _stream(desk, heard, first), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )


async def _stream(
    desk: Desk, heard: asyncio.Queue[dict[str, Any] | None], first: dict[str, Any]
) -> AsyncIterator[str]:
    """Yield what happens as server-sent events."""
    try:
        yield _event(first)
        while True:
            try:
                event = await asyncio.wait_for(heard.get(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if event is None:
                return
            yield _event(event)
    finally:
        desk.leave(heard)


def _event(values: dict[str, Any]) -> str:
    return f"data: {json.dumps(values, allow_nan=False)}\n\n"


def _uploads(app: FastAPI, desk: Desk) -> None:
    """Add what takes files."""

    @app.post("/api/files", status_code=201)
    async def upload(request: Request) -> dict[str, Any]:
        name = safe_name(unquote(request.headers.get("x-name", "picture")))
        key, folder = desk.new_place()
        try:
            size, digest = await _received(request, folder / name, desk.most)
        except BaseException:
            folder.rmdir()
            raise
        there = desk.same(digest)
        if there is not None:
            shutil.rmtree(folder)
            return {"key": there.key, "note": f"{name} is on the page already, as {there.name}."}
        desk.add(Job(key, name, folder, size, digest))
        return {"key": key, "note": ""}

    @app.put("/api/jobs/{key}/uploads/{slot}")
    async def attach(slot: Slot, job: Wanted, request: Request) -> dict[str, str]:
        given = safe_name(unquote(request.headers.get("x-name", slot)))
        name = f"{slot}-{given}" if given in (job.name, job.path) else given
        place = job.folder / f".{slot}.new"
        await _received(request, place, min(desk.most, SMALL))
        job.uploads.pop(slot, None)
        if name in job.uploads.values():
            name = f"{slot}-{name}"
        place.replace(job.folder / name)
        job.uploads[slot] = name
        desk.changed(job)
        return {"name": name}

    @app.delete("/api/jobs/{key}/uploads/{slot}")
    async def detach(slot: Slot, job: Wanted) -> dict[str, bool]:
        job.uploads.pop(slot, None)
        desk.changed(job)
        return {"done": True}


def _downloads(app: FastAPI, desk: Desk) -> None:
    """Add what gives files."""

    @app.get("/api/jobs/{key}/files/{which}")
    async def download(which: Literal["result", "report", "recipe", "mask"], job: Wanted) -> Response:
        folder = job.folder / f".run-{job.answered}"
        name = job.uploads.get("mask") if which == "mask" else job.files.get(which)
        if name is None:
            raise HTTPException(404)
        stored = {"result": folder / name, "report": folder / "report.html", "recipe": folder / "recipe.json"}
        path = stored.get(which, job.folder / name)
        return FileResponse(path, media_type="application/octet-stream", filename=name)


async def _received(request: Request, path: Path, most: int) -> tuple[int, str]:
    """Keep the body of a request, refused at once where it says itself that it is too large.

    A folder says how many bytes the list of its files has, which comes first.
    """
    length, listed = (request.headers.get(name, "") for name in ("content-length", "x-listed"))
    list_size = int(listed) if listed.isdecimal() and len(listed) < 10 else 0
    check_size((int(length) if length.isdecimal() else 0) - list_size, most, path.parent)
    try:
        if listed:
            return await receive_folder(request.stream(), path, list_size, most)
        return await receive(request.stream(), path, most)
    except Exception as error:
        if type(error).__name__ == "ClientDisconnect":
            raise InputError("the connection was lost in the middle of the file; send it again") from None
        raise


def _jobs(app: FastAPI, desk: Desk) -> None:
    """Add what can be done with a picture."""

    @app.post("/api/jobs/{key}/start")
    async def start(settings: Settings, job: Wanted) -> dict[str, str]:
        desk.start(job, settings)
        return {"command": job.command}

    @app.post("/api/jobs/{key}/stop")
    async def stop(job: Wanted) -> dict[str, bool]:
        desk.stop(job)
        return {"done": True}

    @app.post("/api/jobs/{key}/reading")
    async def read_so(reads: Reads, job: Wanted) -> dict[str, bool]:
        desk.read_so(job, reads)
        return {"done": True}

    @app.post("/api/jobs/{key}/command")
    async def command(settings: Settings, job: Wanted) -> dict[str, str]:
        return {"command": desk.command(job, settings)}

    @app.post("/api/jobs/{key}/region")
    async def measure(region: tuple[Pixels, Pixels, Pixels, Pixels], job: Wanted) -> dict[str, bool]:
        desk.measure(job, list(region))
        return {"done": True}

    @app.delete("/api/jobs/{key}")
    async def remove(job: Wanted) -> dict[str, bool]:
        desk.remove(job)
        return {"done": True}


def _pictures(app: FastAPI, desk: Desk) -> None:
    """Add what is looked at; these are answered by threads."""

    @app.get("/api/jobs/{key}/tiles/{run}/{kind}/{plane}/{level}/{x}/{y}")
    def tile(kind: Kind, plane: int, level: int, x: int, y: int, low: float, high: float, job: Wanted) -> Response:
        values = [tiles.cut(each, level, x, y) for each in _planes(job, kind, plane, level, (x, y))]
        if values[0].size == 0:
            raise HTTPException(404)
        if kind == "residual":
            pixels = tiles.levels(values[0] - values[1], -high, high)
        else:
            pixels = tiles.heat(values[0], high) if kind == "spread" else tiles.levels(values[0], low, high)
        return Response(
            tiles.png(pixels), media_type="image/png", headers={"cache-control": "private, max-age=3600"}
        )

    @app.get("/api/jobs/{key}/profile/{plane}/{y}")
    def profile(plane: int, y: int, job: Wanted) -> dict[str, Any]:
        rows: dict[str, Any] = {}
        for kind, folder in ((name, job.planes_of(name)) for name in (PICTURE, RESULT)):
            if folder is not None and tiles.plane_path(folder, plane).exists():
                values = tiles.opened(folder, plane)
                at = y * values.shape[0] // job.planes[min(plane, len(job.planes) - 1)]["height"]
                rows[kind] = tiles.row_of(values, at, MOST_IN_A_ROW)
        return rows

    @app.get("/api/jobs/{key}/preview/{number}")
    async def preview(number: int, job: Wanted) -> Response:
        if job.preview is None:
            raise HTTPException(404)
        return Response(job.preview, media_type="image/jpeg", headers={"cache-control": "no-store"})


def _planes(job: Job, kind: Kind, plane: int, level: int, place: tuple[int, int]) -> list[Any]:
    """Return the planes that a tile is made of."""
    names = {"picture": (PICTURE,), "result": (RESULT,), "residual": (PICTURE, RESULT), "spread": (SPREAD,)}[kind]
    folders = [job.planes_of(name) for name in names]
    if not (0 <= level <= tiles.COARSEST and min(plane, *place) >= 0 and max(place) < 10**6):
        raise HTTPException(404)
    found = [tiles.opened(f, plane) for f in folders if f is not None and tiles.plane_path(f, plane).exists()]
    if len(found) < len(names) or len({each.shape for each in found}) > 1:
        raise HTTPException(404)
    return found
