"""Measure hpcdask-ext beside dask-labextension and print the README's table."""

import argparse
import sys
from collections.abc import Callable

from benchmarks import labextension, queries, report, startup, submissions, texts, watching, workers
from benchmarks.browser import OURS, THEIRS, chromium, launch
from benchmarks.report import Row
from benchmarks.servers import jupyter_server

WHICH = ("first launch of a server", "later ones")


def progress(message: str) -> None:
    """Say what is being measured, beside the table."""
    print(message, file=sys.stderr, flush=True)


def measure_launch(rounds: int) -> list[Row]:
    """Measure click to card, click to tile and the answer's time; the first launch of a server is a row of its own."""
    card = [Row(f"click to the card visible, `local`, {which}", "<= 150 ms", " ms") for which in WHICH]
    tile = [Row(f"click to the first tile drawn, `local`, 2 workers, {which}", "<= theirs", " ms") for which in WHICH]
    answer = Row("the request to launch is answered, `local`", "<= 50 ms", " ms")
    first = Row("the first request to a new server is answered (it imports what the start left out)", "", " ms")
    slurm_card = Row("click to the card visible, Slurm", "<= 150 ms", " ms")
    with chromium() as browser:
        for number in range(1, rounds + 1):
            progress(f"launches, round {number} of {rounds}")
            with jupyter_server(19101, hpcdask=True) as ours:
                first.ours.append(submissions.first_answer_time(ours))
                for cards, tiles in zip(card, tile, strict=True):
                    times = launch(browser, ours, OURS)
                    cards.ours.append(times["card"])
                    tiles.ours.append(times["tile"])
                answer.ours.append(submissions.answer_time(ours))
            with jupyter_server(19102, hpcdask=False) as theirs:
                for cards, tiles in zip(card, tile, strict=True):
                    times = launch(browser, theirs, THEIRS)
                    cards.theirs.append(times["card"])
                    tiles.theirs.append(times["tile"])
                answer.theirs.append(submissions.their_answer_time(theirs))
        with (
            submissions.slurm() as batch,
            jupyter_server(19103, hpcdask=True, site=submissions.SITE, env=batch.env) as centre,
        ):
            for number in range(1, rounds + 1):
                progress(f"launches on Slurm, round {number} of {rounds}")
                slurm_card.ours.append(launch(browser, centre, OURS, card_only=True)["card"])
    return [*card, slurm_card, *tile, answer, first]


def measure_startup(rounds: int) -> list[Row]:
    """Start a Jupyter server with and without our extension, by turns."""
    imported = Row("import time added to a Jupyter server", "<= 100 ms", " ms")
    started = Row("start-up time added to a Jupyter server", "", " ms")
    modules = Row("modules added to a Jupyter server (`distributed` is not among them)", "")
    startup.probe(hpcdask=True)  # writes the bytecode that Python caches, so that all rounds are alike
    for number in range(1, rounds + 1):
        progress(f"starts of a server, round {number} of {rounds}")
        without, with_ours = startup.probe(hpcdask=False), startup.probe(hpcdask=True)
        # The server without our extension imports it last, when all else is there: what we add by ourselves.
        imported.ours.append(without["import"])
        started.ours.append(with_ours["wall"] - without["wall"])
        modules.ours.append(with_ours["modules"] - without["modules"])
    return [imported, started, modules]


def measure_submissions(_rounds: int) -> list[Row]:
    """Count how often `sbatch` runs; it is a count, so once is enough."""
    rows = []
    with (
        submissions.slurm() as batch,
        jupyter_server(19103, hpcdask=True, site=submissions.SITE, env=batch.env) as centre,
    ):
        for workers in (1, 8, 64):
            progress(f"submissions for {workers} workers")
            count = submissions.submissions_of(centre, batch, workers)
            rows.append(Row(f"Slurm submissions, workers asked for: {workers}", "1", ours=[count]))
    return rows


def measure_queries(_rounds: int) -> list[Row]:
    """Count how often `squeue` runs: while clusters wait, and while one runs."""
    window = f"{queries.WINDOW:.0f} s"
    pending = []
    with (
        submissions.slurm() as batch,
        jupyter_server(19103, hpcdask=True, site=queries.WAITING, env=batch.env) as centre,
    ):
        for clusters in (1, 10, 100):
            progress(f"queries for {clusters} waiting clusters")
            count = queries.queries_while_pending(centre, batch, clusters)
            pending.append(Row(f"Slurm queries in {window}, clusters that wait: {clusters}", "<= 6", ours=[count]))
        progress("queries for a running cluster")
        running = Row(f"Slurm queries in {window}, one cluster that runs", "0")
        running.ours.append(queries.queries_while_running(centre, batch))
    return [*pending, running]


def measure_workers(rounds: int) -> list[Row]:
    """Launch eight workers on Slurm, by turns with dask-jobqueue."""
    begin = f"launch to all {workers.WORKERS} workers connected, Slurm, beside dask-jobqueue 0.9"
    elastic = Row(f"{begin}, elastic layout", "<= theirs", " ms")
    allocation = Row(f"{begin}, allocation layout", "<= theirs", " ms")
    with (
        submissions.slurm() as batch,
        jupyter_server(19103, hpcdask=True, site=submissions.SITE, env=batch.env) as centre,
    ):
        for number in range(1, rounds + 1):
            progress(f"eight workers, round {number} of {rounds}")
            elastic.ours.append(workers.our_time(centre, "elastic"))
            theirs = workers.their_time(batch)
            elastic.theirs.append(theirs)
            allocation.theirs.append(theirs)
            allocation.ours.append(workers.our_time(centre, "allocation"))
    return [elastic, allocation]


def measure_texts(rounds: int) -> list[Row]:
    """Render the scripts of 1,000 jobs with each batch system."""
    rows = {name: Row(f"1,000 job scripts rendered, {name}", "<= 50 ms", " ms") for name in texts.BATCH_SYSTEMS}
    for _ in range(rounds):
        for name, time in texts.rendering_times().items():
            rows[name].ours.append(time)
    return list(rows.values())


def measure_watching(rounds: int) -> list[Row]:
    """Look at a scheduler with a million tasks, as we do and as who asks for its counts."""
    rows = []
    for size in watching.WORKERS:
        found = {
            kind: Row(f"a look at {size:,} workers and 10^6 tasks: {what} (theirs: `counts.json`)", goal, " µs")
            for kind, what, goal in watching.KINDS
        }
        for number in range(1, rounds + 1):
            progress(f"looks at a scheduler with {size} workers, round {number} of {rounds}")
            times = watching.look_times(size)
            for kind, row in found.items():
                row.ours.append(times[kind])
                row.theirs.append(times["counts.json"])
        rows += found.values()
    return rows


MEASUREMENTS: dict[str, Callable[[int], list[Row]]] = {
    "launch": measure_launch,
    "startup": measure_startup,
    "labextension": labextension.measure,
    "submissions": measure_submissions,
    "queries": measure_queries,
    "workers": measure_workers,
    "texts": measure_texts,
    "watching": measure_watching,
}


def main() -> None:
    """Run the measurements that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("measurements", nargs="*", help=f"some of: {', '.join(MEASUREMENTS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: 5)")
    options = parser.parse_args()
    if unknown := set(options.measurements) - set(MEASUREMENTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    rows = [row for name in options.measurements or MEASUREMENTS for row in MEASUREMENTS[name](options.rounds)]
    print(report.write(rows))


if __name__ == "__main__":
    main()
