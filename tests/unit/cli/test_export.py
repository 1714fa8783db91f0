"""An export ends where the journal was when it began."""

import io
from pathlib import Path
from typing import Any

import msgspec

from hubbub.cli.event_lines import Header
from hubbub.cli.export import Exported, write_events
from hubbub.cli.running import Running
from hubbub.core.values import Position


class BusyDaemon(Running):
    """A daemon into whose journal others write: every page has events, and there is ever more."""

    def __init__(self) -> None:
        super().__init__(Path(), {}, 0, "")
        self.asked = 0

    def raw(self, method: str, params: Any = None) -> msgspec.Raw:
        """Give a page of three events."""
        self.asked += 1
        after = params["after"]
        first = (0 if after is None else after.seq) + 1
        events = [{"seq": seq} for seq in range(first, first + 3)]
        page = {"events": events, "position": Position("e", first + 2), "more": True}
        return msgspec.Raw(msgspec.json.encode(page))


def test_what_is_written_meanwhile_is_left_out() -> None:
    """The header's position holds, also in the middle of a page; no page is asked for after it."""
    daemon, out = BusyDaemon(), io.BytesIO()
    header = Header(position=Position("e", 7), topics=["*"], exported_at=0)
    done = Exported(file="-", position=header.position)

    write_events(daemon, header, done, out)

    lines = [msgspec.json.decode(line) for line in out.getvalue().splitlines()]
    assert lines[0]["position"] == {"epoch": "e", "seq": 7}
    assert [line["seq"] for line in lines[1:]] == [1, 2, 3, 4, 5, 6, 7]
    assert (done.events, daemon.asked) == (7, 3)
