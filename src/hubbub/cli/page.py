"""``hubbub open``: a link to the page of the running daemon."""

from pathlib import Path

import click

from hubbub.cli import options, output, running


@click.command("open")
@click.option("--browser", is_flag=True, help="Open the link, too.")
@click.option("--read-only", is_flag=True, help="Who opens it can watch, and change nothing.")
@click.option("--admin", is_flag=True, help="Who opens it can also make and revoke tokens.")
@options.daemon
@options.as_json
def open_(
    data_dir: Path | None, *, browser: bool, read_only: bool, admin: bool, as_json: bool
) -> None:
    """Print a link that opens the page once, within minutes.

    It carries a ticket for which the page gets a token of its own, and no token.
    """
    if read_only and admin:
        message = "--read-only and --admin exclude each other"
        raise click.UsageError(message)
    from hubbub.core.identity.browsers import SCOPES, page_link

    scopes = ["read"] if read_only else [*SCOPES, *(["admin"] if admin else [])]
    daemon = running.find(data_dir)
    made = daemon.call("tokens.ticket", {"scopes": scopes})
    link = page_link(daemon.url, made["ticket"])
    if as_json:
        output.write_json({"link": link, "expires_at": made["expires_at"], "scopes": scopes})
    else:
        click.echo(link)
    if browser and not _shown(link):
        message = "no browser could be started here; open the link by hand"
        raise running.Failed(message)


def _shown(link: str) -> bool:
    import webbrowser

    return webbrowser.open(link)
