"""Tell the program that has started the daemon when it is ready, if it wants to know.

Source: sd_notify(3) of systemd. ``NOTIFY_SOCKET`` names a datagram socket, by its path or, behind
``@``, in Linux' abstract namespace; what goes there are lines of ``NAME=value``.
"""

import os
import socket

from hubbub.telemetry import log


VARIABLE = "NOTIFY_SOCKET"
READY = b"READY=1"


def told_ready() -> None:
    """Say that all doors are open; a supervisor that cannot be reached is logged, and no more.

    The variable is taken out of the environment: no program started here shall speak for us.
    """
    address = os.environ.pop(VARIABLE, "")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.settimeout(0)
            supervisor.sendto(READY, name)
    except OSError as error:
        log.warning("supervisor_not_told", reason=str(error))
