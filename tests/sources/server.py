"""A web server that gives ranges of one file, counts what it sends, and fails on demand."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_PIECE = 1 << 20


@dataclass
class Served:
    """What is served and how, changed while it runs; and what has been asked for.

    Attributes:
        sent: bytes of bodies; ``asked`` how many requests came.
        ranges: whether ranges are given.
        etag: None for a server that says none.
        faults: number of a request -> what is done instead; ``always`` for all of them.
        others: files under other paths.
    """

    file: Path
    address: str = ""
    sent: int = 0
    asked: int = 0
    ranges: bool = True
    length: bool = True
    dated: bool = True
    etag: str | None = '"one"'
    faults: dict[int, str] = field(default_factory=dict)
    always: str = ""
    others: dict[str, Path] = field(default_factory=dict)


@contextmanager
def serving(file: Path) -> Iterator[Served]:
    served, lock = Served(file), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            with lock:
                served.asked += 1
                fault = served.faults.get(served.asked, served.always)
            if fault.isdigit():
                self.answer(int(fault), b"no")
            elif fault == "hang up":
                self.close_connection = True
            elif fault == "silence":
                time.sleep(3)
                self.close_connection = True
            else:
                self.ranged(fault)

        def ranged(self, fault: str) -> None:
            file = served.others.get(self.path, served.file)
            size = file.stat().st_size
            asked = self.headers.get("Range")
            first, last = 0, size - 1
            if served.ranges and asked:
                first, last = map(int, asked.removeprefix("bytes=").split("-"))
                if first >= size:
                    return self.answer(416, b"")
                last = min(last, size - 1)
            if fault == "elsewhere":
                first, last = first + 1, min(last + 1, size - 1)
            self.send_response(206 if served.ranges and asked else 200)
            if served.ranges and asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            if served.etag:
                self.send_header("ETag", served.etag)
            if served.dated:
                when = formatdate(served.file.stat().st_mtime, usegmt=True)
                self.send_header("Last-Modified", when)
            if served.length:
                self.send_header("Content-Length", str(last - first + 1))
            else:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            if fault == "half":
                last = (first + last) // 2
                self.close_connection = True
            self.send(file, first, last + 1)
            return None

        def send(self, file: Path, start: int, end: int) -> None:
            with file.open("rb") as stream:
                for at in range(start, end, _PIECE):
                    part = os.pread(stream.fileno(), min(_PIECE, end - at), at)
                    with lock:  # before whoever asked has it and looks at the sum
                        served.sent += len(part)
                    try:
                        self.wfile.write(part)
                    except OSError:  # whoever asked has seen enough
                        self.close_connection = True
                        return

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_address[1]}/model.tflite"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
