"""Asking a Dask Gateway through its own client, `dask_gateway`, away from the server's event loop.

The client imports `distributed` (half a second, 60 MB), so that is done when a gateway is first asked. It may also
block, for instance while it gets a Kerberos ticket. Each site therefore has a thread with an event loop, and each
question a client of its own, which is closed with the answer.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from hpcdask_ext.errors import BatchUnreachable, HPCDaskError
from hpcdask_ext.launchers.gateway_errors import login_refused, not_installed, translated
from hpcdask_ext.sites.gateway import GatewaySite

if TYPE_CHECKING:
    from dask_gateway import Gateway

T = TypeVar("T")

_PATIENCE = 8.0  # seconds for an answer
_IMPORT_PATIENCE = 60.0  # seconds for the import on a busy machine with a slow file system


class GatewayClient:
    """Asks the gateway of one site, as its user."""

    def __init__(self, site: GatewaySite) -> None:
        self._site = site

    async def ask(self, act: Callable[[Gateway], Awaitable[T]]) -> T:
        """Return what `act` returns; it is called in another thread, with a client that is open as long as it runs.

        Raises
        ------
        BatchRefused
            The gateway refused, in its own words, or did not accept the login.
        NotStarted
            It was not reached, so nothing has happened.
        BatchUnreachable
            It did not answer: what was asked may have happened.
        """
        await self._away(_import(), _IMPORT_PATIENCE)
        return await self._away(self._act(act), _PATIENCE)

    async def _act(self, act: Callable[[Gateway], Awaitable[T]]) -> T:
        try:
            gateway = _connect(self._site)
        except Exception as error:  # an own class for logging in may raise whatever it likes
            raise login_refused(self._site, error) from error
        try:
            async with gateway:
                return await act(gateway)
        except HPCDaskError:
            raise
        except Exception as error:
            raise translated(error, gateway.address, self._site) from error

    async def _away(self, work: Coroutine[Any, Any, T], patience: float) -> T:
        """Await something in the site's own thread."""
        future = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop_of(self._site.name)))
        try:
            await asyncio.wait([future], timeout=patience)
            if not future.done():
                raise BatchUnreachable(f"The gateway of “{self._site.label}” did not answer in {patience:.0f} s.")
            return future.result()
        finally:
            future.cancel()


@functools.cache
def _loop_of(site: str) -> asyncio.AbstractEventLoop:
    """Return the event loop of a site's thread, which ends with this process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=f"gateway {site}", daemon=True).start()
    return loop


@functools.cache
def _import_client() -> None:
    try:
        from dask_gateway.client import GatewayWarning  # noqa: PLC0415
    except ImportError as error:
        raise not_installed(error) from error
    # The client only warns of a number of workers that the gateway has replaced by its limit.
    warnings.filterwarnings("error", category=GatewayWarning)


async def _import() -> None:
    _import_client()


def _connect(site: GatewaySite) -> Gateway:
    from dask_gateway import Gateway  # noqa: PLC0415

    addresses = {name: filled(getattr(site, name)) for name in ("address", "public_address", "proxy_address")}
    return Gateway(**addresses, auth=_authentication(site), asynchronous=True)


def _authentication(site: GatewaySite) -> Any:
    """Return how to log in, as `Gateway` takes it; None for what the user's configuration says."""
    if site.auth is None or not site.auth.kwargs:
        return site.auth and site.auth.type
    from dask_gateway import auth  # noqa: PLC0415

    own = {"basic": auth.BasicAuth, "jupyterhub": auth.JupyterHubAuth, "kerberos": auth.KerberosAuth}
    module, _, name = site.auth.type.rpartition(".")
    make = own.get(site.auth.type) or getattr(__import__(module, fromlist=[name]), name)
    return make(**{name: filled(value) for name, value in site.auth.kwargs.items()})


def filled(value: Any) -> Any:
    """Return a value with the environment variables in it filled in, as the client does it for its configuration.

    Raises
    ------
    KeyError
        One of them is not set.
    """
    return value.format(**os.environ) if isinstance(value, str) else value
