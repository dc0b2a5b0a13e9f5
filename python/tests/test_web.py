"""Artifacts on a web server: registered where they lie, cached, loaded, and read in ranges."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

import holotype as ln
from samples import TABLE

TAG = '"5f3c-61a"'


class Web(ThreadingHTTPServer):
    """A server of a few files, which notes what it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listens on a free port."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Gives files as most servers do: with a tag, and in ranges; those below `/whole/` without either."""

    server: Web
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        """Tells what a file is like."""
        self._answer(send=False)

    def do_GET(self) -> None:
        """Gives a file, or a part of it."""
        self._answer(send=True)

    def _answer(self, send: bool) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append((self.command, self.path, asked))
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        simple = self.path.startswith("/whole/")
        part = None if simple else re.fullmatch(r"bytes=(\d+)-(\d*)", asked or "")
        if part:
            first, last = int(part[1]), min(int(part[2] or len(content)), len(content) - 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            content = content[first : last + 1]
        else:
            self.send_response(200)
        if not simple:
            self.send_header("ETag", TAG)
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if send:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server with a table in two formats."""
    parquet = io.BytesIO()
    TABLE.to_parquet(parquet)
    with Web() as server:
        server.files["/data/cells.csv"] = TABLE.to_csv(index=False).encode()
        server.files["/data/cells.parquet"] = parquet.getvalue()
        server.files["/whole/cells.csv"] = server.files["/data/cells.csv"]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.usefixtures("instance")
def test_a_file_on_the_web_is_registered_cached_and_loaded(web: Web) -> None:
    url = f"{web.url}/data/cells.csv"
    artifact = ln.Artifact(url, run=False).save()
    content = web.files["/data/cells.csv"]
    assert (artifact.key, artifact.suffix, artifact.size) == ("data/cells.csv", ".csv", len(content))
    assert artifact._hash_type == "md5-etag"
    assert artifact.hash == urlsafe_b64encode(hashlib.md5(TAG.strip('"').encode()).digest()).decode()[:22]
    storage = artifact.storage
    assert (storage.root, storage.type, storage.instance_uid) == (web.url, "http", None)
    assert not [asked for asked in web.asked if asked[0] == "GET"], "registering reads nothing"
    assert str(artifact.path) == url
    cached = artifact.cache()
    assert cached.read_bytes() == content
    pd.testing.assert_frame_equal(artifact.load(), TABLE)
    assert len([asked for asked in web.asked if asked[0] == "GET"]) == 1, "what is in the cache comes once"
    assert ln.Artifact(url, run=False) == artifact
    assert ln.Artifact.get(path=url) == artifact


@pytest.mark.usefixtures("instance")
def test_a_file_on_the_web_is_opened_in_ranges(web: Web) -> None:
    artifact = ln.Artifact(f"{web.url}/data/cells.parquet", run=False).save()
    web.asked.clear()
    dataset = artifact.open()
    pd.testing.assert_frame_equal(dataset.to_table().to_pandas(), TABLE)
    assert [asked for asked in web.asked if asked[2]], "in ranges"


@pytest.mark.usefixtures("instance")
def test_a_server_without_tags_and_ranges_will_do(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    artifact = ln.Artifact(f"{web.url}/whole/cells.csv", run=False).save()
    assert artifact.hash is None
    assert f"did not add hash for {web.url}/whole/cells.csv" in capsys.readouterr().out
    pd.testing.assert_frame_equal(artifact.load(), TABLE)


@pytest.mark.usefixtures("instance")
def test_what_is_not_on_the_web_is_not_registered(web: Web) -> None:
    url = f"{web.url}/data/none.csv"
    with pytest.raises(FileNotFoundError, match=re.escape(url)):
        ln.Artifact(url, run=False)
    assert ln.Storage.filter(type="http").count() == 0
    artifact = ln.Artifact(f"{web.url}/data/cells.csv", run=False).save()
    artifact.replace(TABLE.head(1), run=False)
    with pytest.raises(ValueError, match="not managed by the current instance"):
        artifact.save()


def test_a_path_on_the_web(web: Web) -> None:
    path = ln.UPath(f"{web.url}/data/cells.csv")
    assert path.exists()
    assert path.suffix == ".csv"
    assert path.read_bytes() == web.files["/data/cells.csv"]
    assert path.stat().st_size == len(web.files["/data/cells.csv"])
    assert not ln.UPath(f"{web.url}/data/none.csv").exists()
