"""What a person sees: from the click to the card and to the first tile, in a real browser."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.servers import Server, end_clusters

CHROMIUM = os.environ.get("HPCDASK_CHROMIUM", "/usr/bin/chromium")
QUIET = [  # a browser that asks nobody for anything
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = (Path(__file__).parent / "page.js").read_text()


@dataclass(frozen=True)
class Extension:
    """Where in the page an extension has its button, its clusters and its tiles, as CSS selectors."""

    tab: str
    button: str
    card: str
    row: str


OURS = Extension(
    tab='.jp-SideBar [data-id="hpcdask"]',
    button='#hpcdask button[type="submit"]',
    card="#hpcdask [data-cluster-id]",
    row='#hpcdask [data-route$="individual-task-stream"] button',
)
THEIRS = Extension(
    tab='.jp-SideBar [data-id="dask-dashboard-launcher"]',
    button='.dask-DaskClusterManager [title^="Start New"]',
    card=".dask-ClusterListingItem",
    row='.dask-DashboardListing-item button[value="Task Stream"]',
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; nothing is downloaded."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def launch(browser: Browser, server: Server, extension: Extension, *, card_only: bool = False) -> dict[str, float]:
    """Click and return the milliseconds until the `card`, the `row` and the `tile` are there; then clean up."""
    context = browser.new_context(
        extra_http_headers={"Authorization": server.api.headers["Authorization"]},
        viewport={"width": 1400, "height": 900},
    )
    try:
        page = context.new_page()
        page.goto(server.lab)
        page.wait_for_selector(".jp-Launcher", timeout=60_000)
        page.click(extension.tab)
        page.wait_for_selector(extension.button, state="visible")
        page.wait_for_timeout(2000)  # JupyterLab loads on for a while after it is shown
        page.evaluate(WATCH, asdict(extension) | {"cardOnly": card_only, "timeout": 60_000})
        page.click(extension.button)
        return page.evaluate("window.hpcdaskBench")
    finally:
        context.close()
        end_clusters(server)
