"""Object stores on this machine, started for tests and ended with them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, SECRET = "holotype-key", "holotype-secret"
REGION = "us-west-1"
AZURE_ACCOUNT, AZURE_KEY = "holotype", "aG9sb3R5cGUga2V5IG9mIHRoZSB0ZXN0cywgMzIgQi4="
_IN_REGION = (
    '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    f"<LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
).encode()


@dataclass
class Server:
    """A server that answers like S3."""

    endpoint: str
    # Where it keeps buckets as folders, if it does.
    folder: Path | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The variables by which programs find the server and have its keys."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
        }

    def make_bucket(self, name: str | None = None) -> str:
        """Makes a bucket, by default one that nobody else uses, and returns its name."""
        name = name or f"bucket-{os.urandom(4).hex()}"
        if self.folder is not None:
            (self.folder / name).mkdir()
            return name
        request = urllib.request.Request(f"{self.endpoint}/{name}", data=_IN_REGION, method="PUT")
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
        return name

    def keys(self, bucket: str) -> set[str]:
        """Returns the keys of all objects in a bucket."""
        if self.folder is not None:
            root = self.folder / bucket
            return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        with urllib.request.urlopen(f"{self.endpoint}/{bucket}?list-type=2") as answer:
            return set(re.findall("<Key>([^<]*)</Key>", answer.read().decode()))


@contextmanager
def moto() -> Iterator[Server]:
    """Runs a server with the semantics of S3, which asks nobody for a password."""
    port = _free_port()
    with _running([_program("moto_server", "MOTO_SERVER"), "-H", "127.0.0.1", "-p", str(port)], port):
        yield Server(f"http://127.0.0.1:{port}")


@contextmanager
def s3s(folder: Path) -> Iterator[Server]:
    """Runs a server that checks signatures and keeps its objects as files in `folder`."""
    port = _free_port()
    words = ["--host", "127.0.0.1", "--port", str(port), "--access-key", KEY, "--secret-key", SECRET]
    with _running([_program("s3s-fs", "S3S_FS"), *words, str(folder)], port):
        yield Server(f"http://127.0.0.1:{port}", folder)


@contextmanager
def azurite() -> Iterator[str]:
    """Runs Microsoft's emulator of Azure Blob Storage; yields the text by which programs connect to it."""
    port = _free_port()
    words = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--silent"]
    words += ["--skipApiVersionCheck", "--disableTelemetry"]
    accounts = {"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{AZURE_KEY}"}
    with _running([_program("azurite-blob", "AZURITE"), *words], port, accounts):
        endpoint = f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"
        yield f"AccountName={AZURE_ACCOUNT};AccountKey={AZURE_KEY};BlobEndpoint={endpoint}"


@contextmanager
def stuck_parts(server: Server) -> Iterator[tuple[str, threading.Event]]:
    """Yields the address of a proxy, and an event: once that is set, parts of uploads get no answer."""
    stuck = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    port = int(server.endpoint.rsplit(":", 1)[1])
    held: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 16):
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket) -> None:
        first = client.recv(1 << 16)
        if stuck.is_set() and b"partNumber" in first:
            held.append(client)
            return
        # One request for each connection: else a part could follow something else.
        first = first.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        upstream = socket.create_connection(("127.0.0.1", port))
        upstream.sendall(first)
        threading.Thread(target=pump, args=(client, upstream), daemon=True).start()
        pump(upstream, client)

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", stuck
    finally:
        listener.close()
        for client in held:
            client.close()


def _program(name: str, variable: str) -> str:
    """Returns the path of a program: named by a variable, installed by `make servers`, or on the path."""
    root = Path(__file__).parents[2]
    places = [os.environ.get(variable), Path(sys.executable).with_name(name), root / ".tools" / "bin" / name]
    for place in places:
        if place and Path(place).is_file():
            return str(place)
    found = shutil.which(name)
    assert found, f"{name} is missing: run `make servers`, or set {variable} to where it is installed"
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], port: int, variables: dict[str, str] | None = None) -> Iterator[None]:
    kept = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    kept |= variables or {}
    server = subprocess.Popen(command, env=kept, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert server.poll() is None, f"{command[0]} ended with {server.returncode}"
                time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait()
