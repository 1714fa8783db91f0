"""``hubbub publish``: store an event and tell it to everyone who listens."""

import sys
from pathlib import Path

import click
import msgspec

from hubbub.cli import options, output, running


@click.command()
@click.argument("topic")
@click.argument("data")
@click.option("--kind", default="message", show_default=True, help="Kind of the event.")
@click.option("--text", is_flag=True, help="DATA is text, not JSON.")
@click.option("--key", metavar="KEY", help="Idempotency key: the same key publishes once.")
@options.daemon
@options.as_json
def publish(
    topic: str,
    data: str,
    *,
    kind: str,
    text: bool,
    key: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Publish DATA, a JSON value, under TOPIC; `-` reads it from standard input."""
    raw = sys.stdin.read() if data == "-" else data
    params: dict[str, object] = {"topic": topic, "kind": kind, "data": raw if text else _json(raw)}
    if key is not None:
        params["idempotency_key"] = key
    published = running.find(data_dir).call("topics.publish", params)
    if as_json:
        output.write_json(published)
    else:
        click.echo(f"{published['cursor']}  {published['id']}")


def _json(text: str) -> msgspec.Raw:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        message = f"this is not JSON ({error}); quote text twice, as '\"hello\"', or give --text"
        raise click.BadParameter(message, param_hint="DATA") from None
    return msgspec.Raw(text.encode())
