"""Progress bars: on standard error, gone when the work is done, and only on a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


def bytes_progress() -> "Progress":
    """Make a bar that counts bytes."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn

    return _progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn())


def count_progress() -> "Progress":
    """Make a bar that counts things, and says how long it will take."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    return _progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )


@contextlib.contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that takes what is being done, how much is done, and of how much."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description:10}"), BarColumn(), TaskProgressColumn())
    with _progress(*columns) as progress:
        tasks = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield show


def _progress(*columns: "ProgressColumn") -> "Progress":
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
