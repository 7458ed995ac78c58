"""A scheduler's HTTP server in place of a real one: TLS, a token, and answers that a test chooses."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tornado import httpserver, httputil, netutil, web, websocket

from hpcdask_ext.clusters.credentials import TOKEN_HEADER, Credentials

UP = {"version": 1, "workers": 1, "nthreads": 1, "memory_limit": 2**28, "clients": 0}

Answer = Callable[[web.RequestHandler], Awaitable[None]]


@dataclass
class StubScheduler:
    """Answers `pages` by path, 404 elsewhere and 403 without the token; keeps the requests that it saw."""

    credentials: Credentials
    pages: dict[str, Answer] = field(default_factory=dict)
    seen: list[httputil.HTTPServerRequest] = field(default_factory=list)
    port: int = 0

    def start(self) -> httpserver.HTTPServer:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.credentials.certificate, self.credentials.key)
        app = web.Application([(r"/ws/.*", Echo, {"stub": self}), (r".*", Page, {"stub": self})])
        server = httpserver.HTTPServer(app, ssl_options=context)
        sockets = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]
        return server

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def lets_in(self, request: httputil.HTTPServerRequest) -> bool:
        self.seen.append(request)
        return request.headers.get(TOKEN_HEADER) == self.credentials.headers()[TOKEN_HEADER]


class Page(web.RequestHandler):
    def initialize(self, stub: StubScheduler) -> None:
        self.stub = stub

    async def get(self) -> None:
        if not self.stub.lets_in(self.request):
            raise web.HTTPError(403)
        if self.request.path not in self.stub.pages:
            raise web.HTTPError(404)
        await self.stub.pages[self.request.path](self)

    head = post = get


class Echo(websocket.WebSocketHandler):
    def initialize(self, stub: StubScheduler) -> None:
        self.stub = stub

    def prepare(self) -> None:
        if not self.stub.lets_in(self.request):
            raise web.HTTPError(403)

    def check_origin(self, origin: str) -> bool:
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[0] if subprotocols else None

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


def answer(content: dict[str, object] | bytes | str) -> Answer:
    """Return an answerer that always answers the same."""

    async def write(handler: web.RequestHandler) -> None:
        handler.write(content)

    return write
