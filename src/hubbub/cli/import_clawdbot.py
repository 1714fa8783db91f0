"""``hubbub import clawdbot``: take over conversations from clawdbot's files.

They go to the running daemon, not into its store behind its back: the store has one owner,
the daemon's own rules hold for what comes in, and who is connected sees it at once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from hubbub.cli import options
from hubbub.cli.clawdbot_files import Conversation, Messages, Unreadable, conversations
from hubbub.cli.output import write_json
from hubbub.cli.progress import bytes_progress
from hubbub.cli.running import Failed, Refused, Running, find


MAX_CALL_MESSAGES = 500
"""Messages in one call at most."""
MAX_CALL_BYTES = 4 * 1024 * 1024
"""Bytes of messages after which a call is sent."""
MAX_MESSAGE_BYTES = 12 * 1024 * 1024
"""Bytes of one message at most; larger ones are passed over."""


class Result(msgspec.Struct):
    """What an import did."""

    sessions: int = 0
    """Sessions found."""
    created: int = 0
    """Sessions that were new to the daemon."""
    messages: int = 0
    """Messages that were new to the daemon."""
    unreadable: int = 0
    """Lines and messages that were passed over."""
    refused: list[str] = []
    """What the daemon did not take, and why."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, path_type=Path))
@options.daemon
@options.as_json
def clawdbot(folder: Path, data_dir: Path | None, *, as_json: bool) -> None:
    """Import sessions and transcripts of clawdbot.

    DIR is its state directory (~/.clawdbot) or one folder with a sessions.json. A second import
    adds what is new there and changes nothing else.
    """
    try:
        found = conversations(folder)
    except Unreadable as error:
        raise Failed(str(error)) from None
    result = take_over(find(data_dir), found)
    if as_json:
        write_json(result)
    else:
        click.echo(
            f"sessions: {result.sessions}, new: {result.created}; new messages: {result.messages}"
        )
        if result.unreadable:
            click.echo(f"lines that could not be read: {result.unreadable}", err=True)
    if result.refused:
        raise Failed("; ".join(result.refused))


def take_over(daemon: Running, found: list[Conversation]) -> Result:
    """Send conversations to a daemon, and show how far it is."""
    result = Result(refused=[])
    with bytes_progress() as progress:
        task = progress.add_task("importing", total=sum(one.size for one in found))
        for one in found:
            done = progress.tasks[0].completed
            try:
                for read in _send(daemon, one, result):
                    progress.update(task, completed=done + read)
            except Refused as error:
                result.refused.append(f"{one.key}: {error.message}")
            result.sessions += 1
            progress.update(task, completed=done + one.size)
    return result


def _send(daemon: Running, one: Conversation, result: Result) -> Iterator[int]:
    """Send one conversation in parts; gives the bytes read after each."""
    messages = None if one.transcript is None else Messages(one.transcript)
    offset = 0
    for part in _parts(messages, result):
        params = {"session": one.key, "entry": one.entry, "messages": part, "offset": offset}
        answer: dict[str, Any] = daemon.call("chat.import_session", params)
        result.created += answer["created"]
        result.messages += answer["added"]
        offset += len(part)
        yield 0 if messages is None else messages.read_bytes
    result.unreadable += 0 if messages is None else messages.bad_lines


def _parts(messages: Messages | None, result: Result) -> Iterator[list[msgspec.Raw]]:
    """Cut a transcript into calls; an empty one is one call, for its entry."""
    part: list[msgspec.Raw] = []
    size = count = 0
    for message in messages or ():
        length = len(bytes(message))
        if length > MAX_MESSAGE_BYTES:
            result.unreadable += 1
            continue
        if part and (size + length > MAX_CALL_BYTES or len(part) >= MAX_CALL_MESSAGES):
            yield part
            part, size = [], 0
        part.append(message)
        size += length
        count += 1
    if part or not count:
        yield part
