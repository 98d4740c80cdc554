"""What `inspect`, `compare`, `demo` and `doctor` do; `denoise` has a page of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from untaught.cli.signals import Interrupts
from untaught.errors import InputError


def run_inspect(picture: Path, plot: Path | None, as_json: bool, interrupts: Interrupts) -> int:
    """Measure a picture's noise and print what was found."""
    with interrupts.held():
        from untaught.image.atomic import check_target, whole_file
        from untaught.pipeline.tasks.inspect import inspect
        from untaught.results.noise_plot import noise_plot
    interrupts.check()
    if plot is not None:
        if plot.suffix.lower() != ".png":
            raise InputError(f"{plot} has to end in .png; name the plot so")
        check_target(plot, (picture,))
    found = inspect(picture)
    if plot is not None:
        with whole_file(plot) as stream:
            stream.write(noise_plot({p.label: p.report for p in found.planes}, found.temporal))
    if as_json:
        _print_json(found.as_dict())
    else:
        print(found.describe())
    return 0


@contextmanager
def no_empty_folder(folder: Path) -> Iterator[None]:
    """Take a folder away again that was made for results of which there are none."""
    new = not folder.exists()
    try:
        yield
    except BaseException:
        if new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        raise


def run_compare(
    files: tuple[Path, list[str], Path, Path | None],
    options: Mapping[str, Any],
    looks: tuple[bool, bool],
    interrupts: Interrupts,
) -> int:
    """Run methods on a picture; `files` are picture, methods, folder, reference; `looks` as_json, quiet."""
    with interrupts.held():
        from untaught.cli.progress import Show
        from untaught.image.atomic import made_folder
        from untaught.image.files import as_image, check_writable
        from untaught.pipeline.tasks.compare import checked_names, compare, places
    interrupts.check()
    path, methods, folder, reference = files
    as_json, quiet = looks
    picture = as_image(path)
    names = checked_names(methods)
    with no_empty_folder(folder):
        made_folder(folder)
        for target in places(folder, picture, names).values():
            check_writable(target, picture, protect=reference)
        with Show(interrupts, quiet) as show:
            found = compare(picture, names, reference=reference, **options, on_progress=show)
        if not found.results and not interrupts.count:
            reasons = "; ".join(f"{row.method}: {row.reason}" for row in found.rows)
            raise InputError(f"no method could be run on {path}: {reasons}")
        if not found.results:
            raise KeyboardInterrupt
        with interrupts.final():
            page = found.save(folder)
    if as_json:
        _print_json(found.as_dict() | {"output": str(folder)})
    elif not quiet:
        print(f"{found.describe()}\n\nlook at {page}")
    return interrupts.ended(f"{folder} holds what was done until then")


def run_demo(folder: Path, quiet: bool, interrupts: Interrupts) -> int:
    """Restore the demo picture into a folder."""
    with interrupts.held():
        from untaught import demo
        from untaught.cli.progress import Show
        from untaught.image.atomic import made_folder
        from untaught.pipeline.tasks.denoise import denoise  # noqa: F401 - brings torch, which must not be cut while it loads
    interrupts.check()
    made_folder(folder)
    demo.check_folder(folder)
    with Show(interrupts, quiet) as show:
        result = demo.restore(show)
    with interrupts.final():
        shown = demo.save(result, folder)
    if not quiet:
        print(shown.describe())
    return interrupts.ended(f"{folder} holds the best picture so far")


def run_doctor(as_json: bool, interrupts: Interrupts) -> int:
    """Say what this machine has; 0 also where something is missing, for the question was answered."""
    with interrupts.held():
        from untaught.doctor import examine
    interrupts.check()
    found = examine()
    if as_json:
        _print_json(found.as_dict())
    else:
        print(found.describe())
    return 0


def _print_json(values: Mapping[str, Any]) -> None:
    from untaught.cli.output import print_json

    print_json(values)
