"""What batch systems say about queues and accounts, and gateways about options: asked when needed, and then rarely."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from hpcdask_ext.batch.records import QueueInfo
from hpcdask_ext.errors import BatchError
from hpcdask_ext.launchers.base import Launcher
from hpcdask_ext.sites.load import Problem, Sites
from hpcdask_ext.sites.models import BatchSite, Limits, Queue, Site
from hpcdask_ext.sites.options import Option

log = logging.getLogger(__name__)

T = TypeVar("T")

_FRESH = 60.0  # seconds for which an answer is taken as it is
_FRESH_TROUBLE = 10.0  # seconds for which a gateway is left alone that has not answered
_PATIENCE = 1.0  # seconds to wait for an answer that is only useful
_LONG_PATIENCE = 5.0  # seconds to wait for one without which nothing can be launched
_SITES_PATIENCE = 2.0  # seconds to wait for a gateway's, while other sites wait too: without it, defaults are launched


@dataclass(frozen=True)
class Found:
    """What a batch system or gateway last said; `trouble` says why it did not, if it could not be asked."""

    queues: Sequence[QueueInfo] = ()
    accounts: Sequence[str] = ()
    options: Sequence[Option] = ()
    trouble: str = ""


class Discovery:
    """Asks about queues, accounts and options, one question at a time for each site, and keeps the answers.

    Parameters
    ----------
    launcher
        Returns the launcher of a site, by name.
    """

    def __init__(self, launcher: Callable[[str], Awaitable[Launcher]]) -> None:
        self.found: dict[str, Found] = {}
        self._launcher = launcher
        self._asked: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def look(self, sites: Sites) -> None:
        """Ask where the last answer is not fresh, and wait for the answers, but not for long."""
        waiting = []
        for site in sites.sites:
            task = None if isinstance(site, BatchSite) and site.batch_system == "local" else self._ask(site)
            if task is not None:
                waiting.append(asyncio.wait([task], timeout=self._patience(site, len(sites.sites))))
        await asyncio.gather(*waiting)

    def _patience(self, site: Site, count: int) -> float:
        """Return for how many seconds an answer is waited for while so many sites are asked."""
        if not site.auto or site.name in self.found:
            return _PATIENCE
        return _SITES_PATIENCE if "options" in site.auto and count > 1 else _LONG_PATIENCE

    def complete(self, sites: Sites) -> Sites:
        """Return the sites with the queues, accounts and options that their files leave to others."""
        completed = tuple(self._complete(site) for site in sites.sites)
        missed = [site for site in completed if site.auto and self.found.get(site.name, Found()).trouble]
        problems = [Problem(site.name, ", ".join(sorted(site.auto)), self.found[site.name].trouble) for site in missed]
        return Sites(completed, (*sites.problems, *problems))

    async def close(self) -> None:
        """Stop asking."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    def _ask(self, site: Site) -> asyncio.Task[None] | None:
        """Return the task that is asking, starting it if the last answer is not fresh; None if it is."""
        task = self._asking.get(site.name)
        if task is not None and not task.done():
            return task
        now = asyncio.get_running_loop().time()
        is_away = "options" in site.auto and bool(self.found.get(site.name, Found()).trouble)
        if site.name in self._asked and now - self._asked[site.name] < (_FRESH_TROUBLE if is_away else _FRESH):
            return None
        self._asked[site.name] = now
        task = self._asking[site.name] = asyncio.create_task(self._ask_now(site))
        return task

    async def _ask_now(self, site: Site) -> None:
        before = self.found.get(site.name, Found())
        options, accounts, more = before.options, before.accounts, ""
        queues, trouble = await self._answer(site.name, lambda launcher: launcher.queues(), before.queues)
        if "accounts" in site.auto:  # not every centre that has queues has these
            accounts, more = await self._answer(site.name, lambda launcher: launcher.accounts(), before.accounts)
        if "options" in site.auto:
            options, more = await self._answer(site.name, lambda launcher: launcher.options(), before.options)
        self.found[site.name] = Found(queues, accounts, options, " ".join(dict.fromkeys(filter(None, (trouble, more)))))

    async def _answer(
        self, site: str, ask: Callable[[Launcher], Awaitable[Sequence[T]]], before: Sequence[T]
    ) -> tuple[Sequence[T], str]:
        """Return the answer, or the one before and why there is no new one."""
        try:
            return await ask(await self._launcher(site)), ""
        except (BatchError, OSError) as error:
            log.info("The site %s could not be asked for its queues, accounts or options: %s", site, error)
            return before, str(error)

    def _complete(self, site: Site) -> Site:
        found = self.found.get(site.name)
        if found is None or not site.auto:
            return site
        changes: dict[str, object] = {}
        if "queues" in site.auto:
            changes["queues"] = tuple(queue for info in found.queues for queue in _queue(info))
        if "accounts" in site.auto:
            changes["accounts"] = tuple(found.accounts)
        if "options" in site.auto:
            changes["options"] = tuple(found.options)
        return site.model_copy(update=changes)


def _queue(info: QueueInfo) -> list[Queue]:
    """Return the queue as a site file would describe it, or nothing if its name cannot be one.

    One that has no nodes now has zeros, which are no limits.
    """
    sizes = {name: getattr(info, name) or None for name in ("cores", "memory", "walltime", "nodes")}
    with suppress(ValidationError):
        return [Queue(name=info.name, limits=Limits(**sizes), gpus=info.gpus)]
    return []
