"""The bare server library under the same event loop as ours: the bound of requests and memory.

It echoes WebSocket messages at `/ws`, answers `GET /health` and `POST /publish` with fixed bytes
and keeps nothing. Run as `python -m bench.bare_server`; its first line of output is its port.
"""

import asyncio

import uvloop
from aiohttp import WSMsgType, web


HEALTH = b'{"status":"ok","version":"0.1.0"}'
PUBLISHED = b'{"ok":true}'
BACKLOG = 4096


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Send every text message back as it came."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket


async def health(_request: web.Request) -> web.Response:
    """Answer as a health check does."""
    return web.Response(body=HEALTH, content_type="application/json")


async def publish(request: web.Request) -> web.Response:
    """Take a body and say that all is well."""
    await request.read()
    return web.Response(body=PUBLISHED, content_type="application/json")


async def serve() -> None:
    """Listen on a free loopback port until ended by a signal."""
    app = web.Application()
    app.add_routes(
        [web.get("/ws", echo), web.get("/health", health), web.post("/publish", publish)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
