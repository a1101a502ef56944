"""Runs a real Ceph object gateway: one monitor, one OSD and one RADOS gateway, on free loopback ports.

    python -m tests.integration.ceph [FOLDER]

starts one, prints how to reach it, and stops it on Ctrl-C. Ceph is taken from the system, or from Debian's packages,
which are unpacked (not installed) under FOLDER or `.ceph` of this checkout: 66 MB to fetch, once, as root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tests.integration.conftest import free_port
from tests.places import ROOT

PACKAGES = ("radosgw", "ceph-mon", "ceph-osd")
KEY, SECRET = "testkey", "testsecret"
UNPACKED = ROOT / ".ceph"
START_SECONDS = 120
_OSD_STARTS = 5
FETCH_SECONDS = 240
_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Prefix of commands that are killed when this process ends, for whatever reason."""

_CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = [v1:127.0.0.1:{monitor}]
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
run dir = {run}
admin socket = {run}/$name.asok
pid file = {run}/$name.pid
log file = {run}/$name.log
crash dir = {run}
mon data = {run}/mon
osd data = {run}/osd
mgr data = {run}/mgr
keyring = {run}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
# How long to wait for more proposals (a second by default); there is one monitor and one client.
paxos propose interval = 0.02
paxos min wait = 0.01
osd objectstore = bluestore
bluestore block size = 2147483648
osd memory target = 939524096
setuser match path =
{paths}
[mon]
public addrv = [v1:127.0.0.1:{monitor}]
[osd]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[client.rgw]
public addr = 127.0.0.1
# Without tcp_nodelay the body of an answer waits 40 ms for the acknowledgement of its head.
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw data = {run}/rgw
rgw dns name = localhost
"""


class CephMissingError(Exception):
    """Ceph cannot be fetched or started here; the message says why."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that lead AWS clients to it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }


@contextmanager
def ceph_gateway(unpacked: Path = UNPACKED) -> Iterator[Gateway]:
    """Start an empty gateway, and stop it and its whole cluster at the end.

    Args:
        unpacked: Folder of Debian's packages, which are fetched if neither it nor the system has them.

    Raises:
        CephMissingError: If Ceph cannot be fetched or started here.
    """
    root = _ceph_root(unpacked)
    with tempfile.TemporaryDirectory(prefix="ceph-", ignore_cleanup_errors=True) as folder:
        cluster = _Cluster(root, Path(folder))
        try:
            yield Gateway(cluster.start())
        finally:
            cluster.stop()


def _ceph_root(unpacked: Path) -> Path:
    """Return the folder whose `usr` has Ceph's programs."""
    if all(shutil.which(name) for name in ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph")):
        return Path("/")
    if not (unpacked / "complete").exists():
        _unpack(unpacked)
    return unpacked


def _unpack(unpacked: Path) -> None:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise CephMissingError("Ceph is not installed, and only root on Debian can fetch its packages")
    fetched = unpacked / "packages"
    (fetched / "partial").mkdir(parents=True, exist_ok=True)
    get = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "--reinstall", "--download-only"]
    get += ["-o", f"Dir::Cache::archives={fetched}", *PACKAGES]
    try:
        if subprocess.run(get, capture_output=True, check=False, timeout=FETCH_SECONDS).returncode:
            subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False, timeout=FETCH_SECONDS)
            subprocess.run(get, capture_output=True, check=True, timeout=FETCH_SECONDS)
        for package in fetched.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, unpacked], capture_output=True, check=True)
    except subprocess.SubprocessError as error:
        output = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
        raise CephMissingError(f"Ceph's packages cannot be fetched here: {output or error}") from None
    shutil.rmtree(fetched)
    (unpacked / "complete").touch()


class _Cluster:
    """The processes of one Ceph cluster; they end with this process."""

    def __init__(self, root: Path, run: Path) -> None:
        self._run = run
        self._processes: list[subprocess.Popen[bytes]] = []
        self._monitor, self._gateway = free_port(), free_port()
        self._fsid = str(uuid.uuid4())
        self._environment: Mapping[str, str] = {**os.environ, "CEPH_CONF": str(run / "ceph.conf")}
        paths = ""
        if root != Path("/"):
            (libraries,) = (root / "usr/lib").glob("*-linux-gnu")
            where = [libraries, libraries / "ceph", root / "lib" / libraries.name, root / "usr/lib"]
            programs = f"{root / 'usr/bin'}:{root / 'usr/sbin'}:{os.environ['PATH']}"
            self._environment = {
                **self._environment,
                "LD_LIBRARY_PATH": ":".join(map(str, where)),
                "PATH": programs,
                "PYTHONPATH": str(root / "usr/lib/python3/dist-packages"),
            }
            plugins = {"plugin dir": "ceph", "erasure code dir": "ceph/erasure-code", "osd class dir": "rados-classes"}
            paths = "\n".join(f"{name} = {libraries / folder}" for name, folder in plugins.items())
        for name in ("mon", "osd", "mgr", "rgw"):
            (run / name).mkdir()
        values = {"fsid": self._fsid, "monitor": self._monitor, "gateway": self._gateway, "run": run, "paths": paths}
        (run / "ceph.conf").write_text(_CONFIGURATION.format(**values))

    def start(self) -> str:
        keyring, everything = self._run / "keyring", ("--cap", "mon", "allow *", "--cap", "osd", "allow *")
        self._do("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        for name in ("client.admin", "client.rgw"):
            self._do("ceph-authtool", keyring, "--gen-key", "-n", name, *everything)
        self._do("ceph-mon", "--mkfs", "-i", "a", "--fsid", self._fsid, "--keyring", keyring)
        self._keep("ceph-mon", "-i", "a")
        osd_uuid = str(uuid.uuid4())
        number = self._do("ceph", "osd", "new", osd_uuid).strip()
        self._do("ceph-osd", "-i", number, "--mkfs", "--osd-uuid", osd_uuid)
        self._do("ceph", "osd", "crush", "add", f"osd.{number}", "1.0", "root=default", "host=localhost")
        self._start_osd(number)
        self._keep("radosgw", "-n", "client.rgw")
        endpoint = f"http://127.0.0.1:{self._gateway}"
        self._wait("its gateway", lambda: _answers(endpoint))
        user = ["--uid=test", "--display-name=test", f"--access-key={KEY}", f"--secret-key={SECRET}"]
        self._do("radosgw-admin", "user", "create", *user)
        return endpoint

    def _start_osd(self, number: str) -> None:
        """Start the OSD until it stays up: now and then the monitor rejects a new one ("wrong fsid")."""
        for attempt in range(_OSD_STARTS):
            self._keep("ceph-osd", "-i", number)
            try:
                self._wait("its OSD", lambda: "1 up" in self._do("ceph", "osd", "stat"))
            except CephMissingError:
                if self._processes[-1].poll() is None or attempt == _OSD_STARTS - 1:
                    raise
                self._processes.pop()
            else:
                return

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()  # its data is not needed any more
        for process in self._processes:
            process.wait()

    def _do(self, *command: str | Path) -> str:
        try:
            done = subprocess.run(
                [*_WITH_US, *command],
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=START_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CephMissingError(f"Ceph does not start here: {error}") from None
        if done.returncode:
            raise CephMissingError(f"Ceph does not start here: {command[0]}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def _keep(self, *command: str) -> None:
        with (self._run / f"{command[0]}.out").open("wb") as output:
            self._processes.append(
                subprocess.Popen(
                    [*_WITH_US, *command, "-f"],
                    env=self._environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )

    def _wait(self, what: str, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + START_SECONDS
        while not ready():
            dead = [process.args for process in self._processes if process.poll() is not None]
            if dead or time.monotonic() > end:
                raise CephMissingError(f"Ceph does not start here: {what} does not come up {dead}")
            time.sleep(0.1)


def _answers(endpoint: str) -> bool:
    try:
        with urlopen(endpoint, timeout=5):
            return True
    except HTTPError:
        return True
    except (URLError, OSError):
        return False


def main() -> None:
    """Run a gateway until interrupted."""
    started = time.monotonic()
    with ceph_gateway(Path(sys.argv[1]) if len(sys.argv) > 1 else UNPACKED) as gateway:
        print(f"# ready after {time.monotonic() - started:.0f} s; Ctrl-C ends it")
        for name, value in gateway.environment.items():
            print(f"export {name}={value}", flush=True)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    main()
