"""``hubbub restore``: bring a backup back."""

import datetime as dt
from pathlib import Path

import click

from hubbub.cli import options, output, running


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a store that is there; it is kept beside.")
@options.data_dir
@options.as_json
def restore(file: Path, data_dir: Path | None, *, force: bool, as_json: bool) -> None:
    """Bring the backup FILE back into a data directory in which no daemon runs.

    FILE is what `hubbub backup` wrote, or the file of a store. It is checked before anything is
    changed.
    """
    from hubbub.backups.restoring import restore as bring_back
    from hubbub.cli.progress import stages
    from hubbub.storage.copies import SqliteCopies

    with stages() as progress:
        done = bring_back(
            file,
            running.data_directory(data_dir),
            SqliteCopies(),
            progress,
            now=dt.datetime.now(dt.UTC),
            force=force,
        )
    if as_json:
        output.write_json(done)
        return
    click.echo(f"{done.data_dir}: restored up to event {done.position.seq}")
    if done.kept is not None:
        click.echo(f"what was there before is in {done.kept}")
    where = "" if data_dir is None else f" --data-dir {data_dir}"
    click.echo(f"next: hubbub serve{where}")
