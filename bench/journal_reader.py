"""The bound of a resume: read all events from the SQLite file, write them to a socket.

One connection after the other gets the whole journal, page by page, each page in one write, as
the JSON text of the messages that hubbub's own door sends. Run as
`python -m bench.journal_reader FILE`; its first line of output is its port.
"""

import socket
import sqlite3
import sys
from pathlib import Path


PAGE = 1_000

SELECT = """
SELECT seq, id, topic, kind, actor, at, data FROM journal WHERE seq > ? ORDER BY seq LIMIT ?
"""

MESSAGE = (
    b'{"jsonrpc":"2.0","method":"topics.event","params":{"subscription":1,"event":'
    b'{"seq":%d,"id":"%b","topic":"%b","kind":"%b","actor":"%b","at":%d,"data":%b}}}'
)

Row = tuple[int, str, str, str, str, int, bytes]


def message(row: Row) -> bytes:
    """Write one row as the message that a subscriber gets."""
    seq, event_id, topic, kind, actor, at, data = row
    return MESSAGE % (
        seq, event_id.encode(), topic.encode(), kind.encode(), actor.encode(), at, bytes(data),
    )  # fmt: skip


def send_all(peer: socket.socket, store: sqlite3.Connection) -> None:
    """Send every event in order."""
    after = 0
    while rows := store.execute(SELECT, (after, PAGE)).fetchall():
        peer.sendall(b"".join(map(message, rows)))
        after = rows[-1][0]


def serve(file: Path) -> None:
    """Listen on a free loopback port until ended by a signal."""
    store = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            peer, _ = listener.accept()
            with peer:
                send_all(peer, store)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
