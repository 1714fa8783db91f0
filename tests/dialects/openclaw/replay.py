"""Replays a conversation that was written down: one JSON object per line.

    {"note": "..."}                              what this line shows; passed over
    {"guest": "ui", "connect": {...}}            open a connection and shake hands
    {"guest": "ui", "send": {...}}               send a frame
    {"guest": "ui", "expect": {...}}             the very next message of that guest
    {"agent": "say", "run": "k", "text": "..."}  also: work (tool), finish, fail (text)
    {"pass_s": 0.15}                             time passes
    {"tell": [topic, kind, data]}                something happens at another door

In what is expected, ``"<any>"`` stands for anything, ``"<int>"`` and ``"<text>"`` for any
number and any text, and an object with the key ``"..."`` may have more keys than it names.
"""

import json
from pathlib import Path
from typing import Any

from tests.dialects.openclaw.clients import TOKEN
from tests.dialects.openclaw.house import Guest, House


FOLDER = Path(__file__).parent / "conversations"


async def replay(house: House, name: str) -> None:
    """Replay a conversation.

    Raises:
        AssertionError: It went another way; the text names the line.
    """
    guests: dict[str, Guest] = {}
    path = FOLDER / f"{name}.jsonl"
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        step = json.loads(line)
        try:
            await _act(house, guests, step)
        except AssertionError as error:
            message = f"{path.name}:{number}: {error}"
            raise AssertionError(message) from error


async def _act(house: House, guests: dict[str, Guest], step: dict[str, Any]) -> None:
    match step:
        case {"guest": name, "connect": changes}:
            guests[name] = await house.guest(TOKEN, **changes)
        case {"guest": name, "send": frame}:
            guests[name].send(frame)
        case {"guest": name, "expect": wanted}:
            found = await guests[name].next()
            assert fits(wanted, found), f"expected {wanted}, got {json.dumps(found)}"
        case {"agent": verb, "run": run}:
            await _play(house, verb, run, step)
        case {"pass_s": seconds}:
            house.timers.advance(seconds)
        case {"tell": [topic, kind, data]}:
            house.tell(topic, kind, data)
        case _:
            assert "note" in step, f"no such step: {step}"


async def _play(house: House, verb: str, run: str, step: dict[str, Any]) -> None:
    match verb:
        case "say":
            await house.agent.say(run, step["text"])
        case "work":
            await house.agent.work(run, step["tool"])
        case "fail":
            await house.agent.fail(run, step["text"])
        case _:
            assert verb == "finish", f"no such verb: {verb}"
            await house.agent.finish(run)


PLACEHOLDERS: dict[str, type] = {"<any>": object, "<int>": int, "<text>": str}


def fits(wanted: Any, found: Any) -> bool:
    """Say whether a value is what was expected."""
    if isinstance(wanted, str) and wanted in PLACEHOLDERS:
        return isinstance(found, PLACEHOLDERS[wanted])
    if type(wanted) is not type(found):
        return False
    if isinstance(wanted, dict):
        keys = set(wanted) - {"..."}
        if keys != set(found) and not ("..." in wanted and keys <= set(found)):
            return False
        return all(fits(wanted[key], found[key]) for key in keys)
    if isinstance(wanted, list):
        return len(wanted) == len(found) and all(map(fits, wanted, found))
    return bool(wanted == found)
