"""Google Cloud Storage for the tests, in memory: both of its interfaces, for objects that go in one piece.

The engine speaks its XML interface, Google's own libraries the JSON one; both see the same objects.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODES = {404: "NoSuchKey", 412: "PreconditionFailed"}


class Refused(Exception):
    """The server answers with a status instead of what was asked for."""

    def __init__(self, status: int) -> None:
        """Takes the status."""
        super().__init__(str(status))
        self.status = status


@dataclass
class Blob:
    """An object with what the store tells of it."""

    content: bytes
    generation: int
    changed: datetime

    @property
    def md5(self) -> bytes:
        """The digest that stands in its tag."""
        return hashlib.md5(self.content).digest()

    def described(self, bucket: str, name: str) -> dict[str, Any]:
        """Returns its description in the JSON interface."""
        when = self.changed.isoformat().replace("+00:00", "Z")
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "size": str(len(self.content)),
            "md5Hash": base64.b64encode(self.md5).decode(),
            "generation": str(self.generation),
            "timeCreated": when,
            "updated": when,
        }


class Google(ThreadingHTTPServer):
    """The buckets and the server that shows them."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listens on a free port."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.buckets: dict[str, dict[str, Blob]] = {}
        self._generation = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, bucket: str, name: str, content: bytes, wanted: str | None = None) -> Blob:
        """Stores an object if the present one has the wanted generation; 0 means that there is none."""
        with self._lock:
            present = self.bucket(bucket).get(name)
            if wanted is not None and int(wanted) != (present.generation if present else 0):
                raise Refused(412)
            self._generation += 1
            blob = Blob(content, self._generation, datetime.now(timezone.utc))
            self.buckets[bucket][name] = blob
            return blob

    def bucket(self, bucket: str) -> dict[str, Blob]:
        """Returns the objects of a bucket."""
        if bucket not in self.buckets:
            raise Refused(404)
        return self.buckets[bucket]

    def blob(self, bucket: str, name: str) -> Blob:
        """Returns an object."""
        found = self.bucket(bucket).get(name)
        if found is None:
            raise Refused(404)
        return found

    def listed(self, bucket: str, query: dict[str, str]) -> tuple[list[tuple[str, Blob]], list[str]]:
        """Returns the objects below a prefix, and what stands for those of folders."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        blobs, folders = [], set()
        for name, blob in sorted(self.bucket(bucket).items()):
            if not name.startswith(prefix):
                continue
            folder, mark, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if mark:
                folders.add(prefix + folder + mark)
            else:
                blobs.append((name, blob))
        return blobs, sorted(folders)


class Handler(BaseHTTPRequestHandler):
    """Takes requests apart and finds out which interface they mean."""

    server: Google
    protocol_version = "HTTP/1.1"
    # One packet for each answer: else the system waits before it sends the second.
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def _handle(self) -> None:
        url = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(url.query, True).items()}
        self.sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = re.fullmatch(r"(/upload|/download)?/storage/v1/b/([^/]+)(/o)?(?:/(.+))?", url.path)
        try:
            if found:
                self._json(found[1], unquote(found[2]), found[4])
            else:
                self._xml(*unquote(url.path).lstrip("/").partition("/")[::2])
        except Refused as refused:
            code = _CODES[refused.status]
            text = json.dumps({"error": {"code": refused.status, "message": code}}) if found else ""
            self._answer(text or f"<Error><Code>{code}</Code></Error>", status=refused.status)

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _handle

    def _answer(self, content: str | bytes | dict[str, Any], status: int = 200, **headers: str) -> None:
        if isinstance(content, dict):
            content = json.dumps(content)
        body = content.encode() if isinstance(content, str) else content
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # Who asked may have gone: libraries give up requests that they need no more.
        with suppress(ConnectionError):
            self.wfile.write(b"" if self.command == "HEAD" else body)

    def _give(self, blob: Blob) -> None:
        """Answers with an object or the part of it that was asked for."""
        about = {
            "ETag": f'"{blob.md5.hex()}"',
            "Last_Modified": blob.changed.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "x_goog_generation": str(blob.generation),
        }
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not asked:
            self._answer(blob.content, **about)
            return
        size = len(blob.content)
        start, end = int(asked[1]), min(int(asked[2] or size - 1), size - 1)
        about["Content_Range"] = f"bytes {start}-{end}/{size}"
        self._answer(blob.content[start : end + 1], 206, **about)

    def _xml(self, bucket: str, name: str) -> None:
        if self.command == "PUT":
            source = self.headers.get("x-goog-copy-source")
            content = self.sent
            if source:
                content = self.server.blob(*unquote(source).lstrip("/").split("/", 1)).content
            wanted = self.headers.get("x-goog-if-generation-match")
            blob = self.server.put(bucket, name, content, wanted)
            tag = f'"{blob.md5.hex()}"'
            done = f"<CopyObjectResult><ETag>{escape(tag)}</ETag></CopyObjectResult>" if source else ""
            self._answer(done, ETag=tag, x_goog_generation=str(blob.generation))
        elif self.command == "DELETE":
            self.server.blob(bucket, name)
            del self.server.bucket(bucket)[name]
            self._answer("", 204)
        elif name:
            self._give(self.server.blob(bucket, name))
        else:
            blobs, folders = self.server.listed(bucket, self.query)
            shown = [
                f"<Contents><Key>{escape(name)}</Key><Size>{len(blob.content)}</Size>"
                f'<ETag>"{blob.md5.hex()}"</ETag>'
                f"<LastModified>{blob.changed.isoformat()}</LastModified></Contents>"
                for name, blob in blobs
            ]
            shown += [
                f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders
            ]
            self._answer(f"<ListBucketResult>{''.join(shown)}</ListBucketResult>")

    def _json(self, face: str | None, bucket: str, path: str | None) -> None:
        name = unquote(path or "")
        if face == "/upload":
            self._upload(bucket)
        elif self.command == "DELETE":
            self.server.blob(bucket, name)
            del self.server.bucket(bucket)[name]
            self._answer("", 204)
        elif "/rewriteTo/" in (path or ""):
            source, target = (path or "").split("/rewriteTo/b/")
            to, goal = target.split("/o/")
            content = self.server.blob(bucket, unquote(source)).content
            blob = self.server.put(to, unquote(goal), content)
            self._answer({"done": True, "resource": blob.described(to, unquote(goal))})
        elif name and (face == "/download" or self.query.get("alt") == "media"):
            self._give(self.server.blob(bucket, name))
        elif name:
            self._answer(self.server.blob(bucket, name).described(bucket, name))
        else:
            blobs, folders = self.server.listed(bucket, self.query)
            items = [blob.described(bucket, name) for name, blob in blobs]
            self._answer({"kind": "storage#objects", "items": items, "prefixes": folders})

    def _upload(self, bucket: str) -> None:
        """Takes an object in one request, or opens an upload whose content comes with the next."""
        if self.query["uploadType"] == "multipart":
            mark = re.search('boundary="?([^";]+)', self.headers["Content-Type"])
            assert mark
            _, about, rest, _ = self.sent.split(b"--" + mark[1].encode())
            name = json.loads(about.split(b"\n\n", 1)[1])["name"]
            content = rest.split(b"\n\n", 1)[1].removesuffix(b"\n")
        elif "upload_id" not in self.query:
            name = self.query["name"]
            self._answer("", Location=f"{self.server.url}{self.path}&upload_id=1&name={quote(name, '')}")
            return
        else:
            name, content = self.query["name"], self.sent
        self._answer(self.server.put(bucket, name, content).described(bucket, name))


@contextmanager
def google() -> Iterator[Google]:
    """Runs the server as long as it is used."""
    with Google() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
