"""The long fault campaign: it kills flow, worker, nanny and sandbox child at random while files keep arriving.

    python -m tests.faults.campaign [--kills 200] [--files 1000] [--drivers 2] [--seed N] [--json FILE]

Every round puts new files into the source, lets the drivers work for a random time and kills one process. At the end a
driver runs undisturbed, and the oracle counts lost and duplicated rows. The control (the same steps with a state file
written after the commit) is killed in the same way, to show that a zero does not come from a blind oracle.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tests.faults.cluster import Cluster, children_of, workers_of
from tests.faults.conftest import World
from tests.faults.oracle import Verdict

VICTIMS = ("flow", "worker", "nanny", "child")
WEIGHTS = (5, 2, 1, 2)
_CONTROL_PATIENCE = 6


@dataclass(slots=True)
class CampaignOutcome:
    """The result of a campaign."""

    kills: dict[str, int]
    files: int
    rows: int
    lost: int
    duplicated: int
    torn: int
    wrong: int
    seconds: float


def find_victim(kind: str, flows: list[subprocess.Popen[str]], cluster: Cluster) -> psutil.Process | None:
    """Return a live process of a kind; None if there is none at the moment."""
    if kind == "flow":
        alive = [flow for flow in flows if flow.poll() is None]
        return psutil.Process(random.choice(alive).pid) if alive else None
    nannies = cluster.nannies()
    if kind == "nanny":
        return random.choice(nannies)
    below = [worker for nanny in nannies for worker in workers_of(nanny)]
    if kind == "worker":
        return random.choice(below) if below else None
    sandboxed = [child for worker in below for child in children_of(worker)]
    return random.choice(sandboxed) if sandboxed else None


def run_campaign(folder: Path, kills: int, files: int, drivers: int) -> CampaignOutcome:
    """Kill processes while files arrive, then let one driver finish, and compare the table with the source."""
    started = time.monotonic()
    world = World(folder)
    cluster = Cluster(folder, 2)
    world.configure("execution.workers=2", f"execution.scheduler={cluster.address}", "pipeline.draw={}")
    counted: Counter[str] = Counter()
    flows: list[subprocess.Popen[str]] = []
    put = 0
    try:
        while sum(counted.values()) < kills:
            share = -(-(files - put) // max(1, kills - sum(counted.values())))
            world.fill(share, start=put)
            put += share
            flows = [flow for flow in flows if not _ended(flow)]
            flows += [world.start() for _ in range(drivers - len(flows))]
            time.sleep(random.uniform(0.1, 3.0))
            kind = random.choices(VICTIMS, WEIGHTS)[0]
            victim = find_victim(kind, flows, cluster)
            if victim is not None and _kill(victim):
                counted[kind] += 1
                _say(f"\r{sum(counted.values())}/{kills} kills, {put} files ")
        for flow in flows:
            flow.communicate(timeout=300)
        cluster.nannies()
        while (code := world.run()) != 0:
            assert code == 5, f"the last driver ended with {code}"
        verdict = world.judge()
    finally:
        world.close()
        cluster.close()
    _say("\n")
    return _outcome(verdict, dict(counted), put, time.monotonic() - started)


def run_control(folder: Path, kills: int, files: int) -> CampaignOutcome:
    """Kill the control in the same way; more often on a busy machine, because its weak moment is short."""
    started = time.monotonic()
    world = World(folder)
    done = put = 0
    while done < kills or (done < _CONTROL_PATIENCE * kills and not world.judge().duplicated):
        if not world.judge().lost:
            world.fill(files, start=put)
            put += files
        before = world.commits()
        driver = world.start(module="tests.faults.control")
        while driver.poll() is None and world.commits() == before:
            time.sleep(0.001)
        if driver.poll() is None:
            time.sleep(random.uniform(0, 0.004))
            driver.kill()
            done += 1
        _, errors = driver.communicate()
        assert driver.returncode in (0, -signal.SIGKILL), errors
    assert world.run(module="tests.faults.control") == 0
    verdict = world.judge()
    world.close()
    return _outcome(verdict, {"flow": done}, put, time.monotonic() - started)


def main() -> int:
    """Run both and print their results; return 1 if any row was lost or is there twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--drivers", type=int, default=2)
    parser.add_argument("--control-kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 30)
    random.seed(seed)
    _say(f"seed {seed}\n")
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        real = run_campaign(Path(first), arguments.kills, arguments.files, arguments.drivers)
        _say(f"inkstream: {json.dumps(asdict(real))}\n")
        control = run_control(Path(second), arguments.control_kills, 200)
    report = {"seed": seed, "inkstream": asdict(real), "control": asdict(control)}
    _say(f"control: {json.dumps(asdict(control))}\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(report))
    return 0 if real.lost == real.duplicated == real.torn == real.wrong == 0 and control.duplicated else 1


def _outcome(verdict: Verdict, kills: dict[str, int], files: int, seconds: float) -> CampaignOutcome:
    return CampaignOutcome(
        kills=kills,
        files=files,
        rows=verdict.rows,
        lost=len(verdict.lost),
        duplicated=sum(count - 1 for count in verdict.duplicated.values()),
        torn=len(verdict.torn),
        wrong=len(verdict.wrong_bytes) + len(verdict.foreign),
        seconds=round(seconds, 1),
    )


def _ended(flow: subprocess.Popen[str]) -> bool:
    if flow.poll() is None:
        return False
    _, errors = flow.communicate()
    assert flow.returncode in (0, 5, -signal.SIGKILL), errors
    return True


def _kill(victim: psutil.Process) -> bool:
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
