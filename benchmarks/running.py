"""A running target: its process, a client that is signed in, and its requests as bytes."""

import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urljoin

import httpx

from benchmarks.forms import filled_form
from benchmarks.processes import Cores, cpu_seconds, memory_bytes, start, stop, tree_of
from benchmarks.targets import Place, Target

HOST = "127.0.0.1"
START_SECONDS = 60.0
REQUEST_SECONDS = 30.0
# As Chromium asks.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}
COMPRESSIONS = "gzip, deflate, br, zstd"


class TargetError(Exception):
    """A target does not do what is asked of it: one sentence."""


class Running:
    """One target on one database. `restart` keeps its session."""

    def __init__(self, target: Target, place: Place, cores: Cores) -> None:
        self.target = target
        self.place = place
        self.cores = cores
        self.log = place.folder / "server.log"
        self.client = httpx.Client(
            base_url=f"http://{HOST}:{place.port}",
            headers=BROWSER | {"Accept-Encoding": "identity"},
            timeout=REQUEST_SECONDS,
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        return HOST, self.place.port

    def begin(self) -> None:
        """Prepare, start and sign in. Raises TargetError."""
        try:
            self.target.prepare(self.place)
            self.start()
            self.target.sign_in(self.client, self.place)
        except (RuntimeError, LookupError, httpx.HTTPError, subprocess.SubprocessError) as error:
            raise TargetError(f"cannot be used: {error}") from error
        self.get(self.target.home)

    def start(self) -> float:
        """Start, and return the seconds until the first page has arrived. Raises TargetError."""
        began = time.perf_counter()
        command = self.target.command(self.place)
        process = self._process = start(command, self.log, self.cores.serving)
        while not _is_listening(self.address):
            if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                raise TargetError(f"does not start: {self.last_words()}")
            time.sleep(0.005)
        try:
            self.client.get(self.target.home)
        except httpx.HTTPError as error:
            raise TargetError(f"does not answer: {error!r}") from error
        return time.perf_counter() - began

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process)
            self._process = None

    def restart(self) -> float:
        """Stop whatever it is doing and start it again; see `start`."""
        self.stop()
        return self.start()

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it says nothing"

    def pids(self) -> list[int]:
        return tree_of(self._process.pid) if self._process else []

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pids())

    def memory_bytes(self) -> int:
        return memory_bytes(self.pids())

    def get(self, path: str) -> str:
        """Get a page past the clock. Raises TargetError."""
        try:
            answer = self.client.get(path)
        except httpx.HTTPError as error:
            raise TargetError(f"did not answer: {error!r}") from error
        if answer.status_code != httpx.codes.OK:
            raise TargetError(f"answered {path} with {answer.status_code}")
        return answer.text

    def page_request(self, path: str, *, is_compressed: bool = False) -> bytes:
        """A request for a page."""
        encoding = COMPRESSIONS if is_compressed else "identity"
        return self._request("GET", path, {"Accept-Encoding": encoding})

    def form_request(self, path: str, values: Mapping[str, str]) -> bytes:
        """The request that the form at this path sends with these values. Raises TargetError."""
        try:
            form = filled_form(self.get(path), values)
        except LookupError as error:
            raise TargetError(f"{path} cannot be filled in: {error}") from error
        body = urlencode(form.pairs).encode()
        headers = {
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
            "Origin": str(self.client.base_url).rstrip("/"),
        }
        action = httpx.URL(urljoin(path, form.action)).raw_path.decode()
        return self._request("POST", action, headers) + body

    def _request(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.client.cookies.jar)
        lines = {"Host": f"{HOST}:{self.place.port}", **BROWSER, **headers}
        if cookies:
            lines["Cookie"] = cookies
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode()


def make_folder(cache: Path, target: Target, engine: str, size: str) -> Path:
    """A folder for what a target makes and logs."""
    folder = cache / "targets" / f"{target.name}-{engine}-{size}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.log").write_bytes(b"")
    return folder


def _is_listening(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False
