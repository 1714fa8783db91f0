"""``hubbub backup``: save the data directory of a daemon that runs, or does not."""

import datetime as dt
from pathlib import Path

import click

from hubbub.cli import options, output, running


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@options.data_dir
@options.as_json
def backup(file: Path | None, data_dir: Path | None, *, force: bool, as_json: bool) -> None:
    """Save store, secrets and settings in FILE, also while the daemon writes.

    FILE is a tar that only you can read; without it, hubbub-TIME.tar in the current folder.
    `hubbub restore` brings it back.
    """
    from hubbub.backups.making import back_up
    from hubbub.cli.progress import stages
    from hubbub.storage.copies import SqliteCopies

    now = dt.datetime.now(dt.UTC)
    target = file or Path(f"hubbub-{now:%Y%m%dT%H%M%SZ}.tar")
    with stages() as progress:
        made = back_up(
            running.data_directory(data_dir),
            target,
            SqliteCopies(),
            progress,
            made_at=int(now.timestamp() * 1000),
            force=force,
        )
    if as_json:
        output.write_json(made)
        return
    click.echo(f"{made.file}: {made.bytes} bytes, up to event {made.position.seq}, checked")
    click.echo("It opens every door of this daemon: keep it as you keep a key.")
