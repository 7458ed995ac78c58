"""The proxy to the dashboards of tracked clusters: jupyter-server-proxy's handler, with the target from our records.

It reaches the recorded addresses of tracked clusters and nothing else, with GET, HEAD and websockets only. It adds the
cluster's token, uses TLS with the cluster's certificate, and does not pass on the user's own credentials.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http.client import responses
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import ProxyHandler
from jupyter_server_proxy.websocket import pingable_ws_connect
from tornado import httpclient, web
from tornado.httputil import HTTPHeaders

from hpcdask_ext.clusters.reach import Endpoint
from hpcdask_ext.errors import HPCDaskError
from hpcdask_ext.handlers.base import AUTH_RESOURCE, QuietErrors, status_of

# The browser's headers that a dashboard needs. Cookies, tokens and what a hub adds are not among them.
_PASSED_ON = re.compile(r"(Accept|Accept-Encoding|Accept-Language|User-Agent|Range|If-.+)\Z", re.IGNORECASE)
# The dashboard's headers that a page needs. Whatever else the browser would take for Jupyter's own: cookies, a login
# that is asked for, storage to be cleared, who may read the answer.
_PASSED_BACK = re.compile(
    r"(Accept-Ranges|Cache-Control|Content-.+|ETag|Expires|Last-Modified|Location|Vary)\Z", re.IGNORECASE
)
_CONNECT_TIMEOUT = 10.0  # seconds
_REQUEST_TIMEOUT = 60.0
_GATEWAY_FAILED = (500, 599)  # jupyter-server-proxy's statuses if the dashboard does not answer


class DashboardProxyHandler(QuietErrors, ProxyHandler):  # type: ignore[misc]  # (jupyter-server-proxy has no types)
    """Serves ``hpcdask/proxy/ID/...``."""

    SUPPORTED_METHODS = ("GET", "HEAD")
    auth_resource = AUTH_RESOURCE

    @web.authenticated
    @authorized
    async def head(self, cluster_id: str, path: str) -> None:
        """Answer as the dashboard does, without the body."""
        await self.http_get(cluster_id, path)

    @web.authenticated
    @authorized
    async def get(self, cluster_id: str, path: str) -> None:
        """Answer with a page, or open a websocket."""
        page: Any = super().get(cluster_id, path)
        await page

    async def http_get(self, cluster_id: str, path: str) -> None:
        """Answer with a page."""
        # For an event stream jupyter-server-proxy takes a code path that bypasses our hooks.
        self.request.headers["Accept"] = self.request.headers.get("Accept", "*/*").replace("text/event-stream", "*/*")
        host, port = await self._find(cluster_id, path)
        self.rewrite_response = _rewriting(self._endpoint.url, self._get_context_path(host, port))
        await self.proxy(host, port, path)

    async def open(self, cluster_id: str, path: str) -> None:
        """Connect a websocket to the dashboard's."""
        host, port = await self._find(cluster_id, path)
        await self.proxy_open(host, port, path)

    async def _find(self, cluster_id: str, path: str) -> tuple[str, int]:
        """Return the host and port of a tracked cluster's dashboard, and load its credentials."""
        if ".." in re.split(r"[/\\]", path):  # below a path of its host, which may have more than this dashboard
            raise web.HTTPError(404, "A dashboard has no page with .. in its path.")
        manager = await self.settings["hpcdask_core"].manager()
        cluster = manager.get(cluster_id)
        if cluster.dashboard is None:
            raise web.HTTPError(404, f"The cluster “{cluster.name}” is {cluster.state.value} and has no dashboard now.")
        reach = await manager.reach(cluster_id)
        if reach is None:
            raise web.HTTPError(404, f"The cluster “{cluster.name}” has no dashboard now.")
        self._endpoint = reach.dashboard
        target = urlsplit(reach.dashboard.url)
        host, port = str(target.hostname), target.port or {"http": 80, "https": 443}[target.scheme]
        self.host_allowlist = [host]
        return host, port

    def _get_context_path(self, host: str, port: int) -> str:
        """Return our own path, which redirects are rewritten to."""
        path: str = url_path_join(self.base_url, "hpcdask/proxy", self.path_args[0])
        return path

    def get_client_uri(self, protocol: str, host: str, port: int, proxied_path: str) -> str:
        """Return the dashboard's URL, with TLS where it speaks that."""
        target = urlsplit(self._endpoint.url)
        if target.scheme == "https":
            protocol = {"http": "https", "ws": "wss"}[protocol]
        bracketed = f"[{host}]" if ":" in host else host
        uri: str = super().get_client_uri(protocol, bracketed, port, url_path_join(target.path, proxied_path))
        address, _, query = uri.partition("?")
        # Jupyter also accepts its token in the query, and the dashboard must not see it.
        kept = [part for part in query.split("&") if part and part.partition("=")[0] != "token"]
        return f"{address}?{'&'.join(kept)}" if kept else address

    def proxy_request_headers(self) -> Any:
        """Return the browser's headers that a dashboard needs, and the cluster's token."""
        passed_on = {name: value for name, value in self.request.headers.items() if _PASSED_ON.match(name)}
        return HTTPHeaders({**passed_on, **self._endpoint.headers})

    def proxy_request_options(self) -> dict[str, Any]:
        """Return the options of each request to the dashboard."""
        return {
            "follow_redirects": False,
            "connect_timeout": _CONNECT_TIMEOUT,
            "request_timeout": _REQUEST_TIMEOUT,
            "ssl_options": self._endpoint.context,
        }

    async def proxy_open(self, host: str, port: int, proxied_path: str = "") -> None:
        """Connect the websocket; jupyter-server-proxy's own method cannot pass on TLS options."""
        request = httpclient.HTTPRequest(
            self.get_client_uri("ws", host, port, proxied_path),
            headers=self.proxy_request_headers(),
            connect_timeout=_CONNECT_TIMEOUT,
            ssl_options=self._endpoint.context,
        )
        # No message from the browser is read before this returns, so none is lost.
        self.ws = await pingable_ws_connect(
            request=request,
            on_message_callback=self._on_dashboard_message,
            on_ping_callback=self._on_dashboard_ping,
            subprotocols=self._requested_subprotocols,
        )
        if self.ws_connection is None:  # the page was closed meanwhile
            self.ws.close()

    def _on_dashboard_message(self, message: str | bytes | None) -> None:
        self._record_activity()
        if message is None:
            self.close()
        elif self.ws_connection is not None:
            self.write_message(message, binary=isinstance(message, bytes))

    def _on_dashboard_ping(self, data: bytes) -> None:
        if self.ws_connection is not None:
            self.ping(data)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log an exception that ended a request; a dashboard that does not answer is no fault of the server."""
        if isinstance(value, (OSError, httpclient.HTTPClientError)):
            self.log.info("%s %s: the dashboard does not answer: %s", self.request.method, self.request.path, value)
        else:
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with a sentence that a tile can show."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, HPCDaskError):
            status_code, text = status_of(error)[0], error.message
        elif status_code in _GATEWAY_FAILED:
            status_code = 502
            text = "The dashboard does not answer. Its cluster may be ending, or the network may be down: try again."
        else:
            text = getattr(error, "log_message", None) or responses.get(status_code, "Error")
        self.set_status(status_code)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(text)

    _endpoint: Endpoint


def _rewriting(dashboard: str, own: str) -> Callable[[Any], None]:
    """Return what changes the answers of the dashboard at that URL, which may be below a path of its host.

    In our own paths, `own` is in the place of that path.
    """
    target = urlsplit(dashboard)
    prefix = target.path.rstrip("/")

    def rewrite(response: Any) -> None:
        kept = HTTPHeaders()
        for name, value in response.headers.get_all():
            if _PASSED_BACK.match(name):
                kept.add(name, value)
        location = kept.get("Location", "")
        if location.startswith(f"{target.scheme}://{target.netloc}/"):
            location = kept["Location"] = location[len(f"{target.scheme}://{target.netloc}") :]
        if prefix and location.startswith(f"{prefix}/"):
            kept["Location"] = location[len(prefix) :]
        response.headers = kept
        if prefix and response.body and kept.get("Content-Type", "").startswith("text/html"):
            # Of all its links, Dask writes only those to Bokeh's scripts with the prefix that it was started with.
            response.body = response.body.replace(f'src="{prefix}/'.encode(), f'src="{own}/'.encode())

    return rewrite
