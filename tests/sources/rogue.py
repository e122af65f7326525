"""A server that means harm: one of ``KINDS`` for every request, over plain sockets."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIZE = 3 << 20  # of the file that it says it has
_PART = bytes(1 << 16)

Send = Callable[[bytes], None]


def _head(first: int, last: int, *more: str, status: str = "206 Partial Content") -> bytes:
    rows = [f"HTTP/1.1 {status}", 'ETag: "a"', *more]
    if not any(row.startswith("Content-Range") for row in more) and status[:3] == "206":
        rows.append(f"Content-Range: bytes {first}-{last}/{_SIZE}")
    return ("\r\n".join(rows) + "\r\n\r\n").encode()


def _redirect_loop(send: Send, first: int, last: int) -> None:
    send(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")


def _redirect_to_file(send: Send, first: int, last: int) -> None:
    send(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n")


def _drip(send: Send, first: int, last: int) -> None:
    """Byte by byte, never silent for long."""
    send(_head(first, last, f"Content-Length: {last - first + 1}"))
    for _ in range(first, last + 1):
        send(b"\0")
        time.sleep(0.05)


def _drip_headers(send: Send, first: int, last: int) -> None:
    send(b"HTTP/1.1 206 Partial Content\r\nX-Header: ")
    while True:
        send(b"x")
        time.sleep(0.05)


def _endless_range(send: Send, first: int, last: int) -> None:
    send(_head(first, last, "Transfer-Encoding: chunked"))
    _chunks(send)


def _endless_whole(send: Send, first: int, last: int) -> None:
    """The range is ignored, too."""
    send(_head(0, 0, "Transfer-Encoding: chunked", status="200 OK"))
    _chunks(send)


def _tiny_chunks(send: Send, first: int, last: int) -> None:
    """One byte in each."""
    send(_head(0, 0, "Transfer-Encoding: chunked", status="200 OK"))
    while True:
        send(b"1\r\n\0\r\n" * 10_000)


def _endless_close(send: Send, first: int, last: int) -> None:
    """No length: as long as the connection lasts."""
    send(_head(0, 0, "Connection: close", status="200 OK"))
    while True:
        send(_PART)


def _chunks(send: Send) -> None:
    while True:
        send(b"%x\r\n%s\r\n" % (len(_PART), _PART))


def _endless_headers(send: Send, first: int, last: int) -> None:
    send(b"HTTP/1.1 206 Partial Content\r\n")
    number = 0
    while True:
        number += 1
        send(b"".join(b"X-%d-%d: %s\r\n" % (number, n, b"y" * 1000) for n in range(60)))


def _endless_continue(send: Send, first: int, last: int) -> None:
    while True:
        send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def _zipped(status: str) -> Callable[[Send, int, int], None]:
    def zipped(send: Send, first: int, last: int) -> None:
        """300 MB of zeros in 300 KB."""
        body = gzip.compress(bytes(300 << 20), 1)
        send(_head(first, last, f"Content-Length: {len(body)}", "Content-Encoding: gzip",
                   status=status))  # fmt: skip
        send(body)

    return zipped


def _range_of(text: str) -> Callable[[Send, int, int], None]:
    def ranged(send: Send, first: int, last: int) -> None:
        count = last - first + 1
        send(_head(first, last, f"Content-Range: {text}", f"Content-Length: {count}"))
        send(bytes(count))

    return ranged


def _short(send: Send, first: int, last: int) -> None:
    send(_head(first, last, "Content-Length: 5"))
    send(b"12345")


def _huge_length(send: Send, first: int, last: int) -> None:
    send(_head(0, 0, f"Content-Length: {1 << 62}", status="200 OK"))
    send(_PART)


def _huge_file(send: Send, first: int, last: int) -> None:
    """A file of 2 to the 62nd bytes, all zeros but its first."""
    count = last - first + 1
    row = f"Content-Range: bytes {first}-{last}/{1 << 62}"
    send(_head(first, last, row, f"Content-Length: {count}"))
    body = bytearray(count)
    if not first:
        body[:8] = b"\x20\0\0\0TFL3"
    send(bytes(body))


def _noise(send: Send, first: int, last: int) -> None:
    while True:
        send(b"\xff\0\r\n" * 4096)


KINDS: dict[str, Callable[[Send, int, int], None]] = {
    "redirect loop": _redirect_loop,
    "redirect to a file": _redirect_to_file,
    "endless range": _endless_range,
    "endless whole": _endless_whole,
    "endless until closed": _endless_close,
    "tiny chunks": _tiny_chunks,
    "endless headers": _endless_headers,
    "endless 100 Continue": _endless_continue,
    "zipped range": _zipped("206 Partial Content"),
    "zipped whole": _zipped("200 OK"),
    "another range": _range_of(f"bytes 5-65540/{_SIZE}"),
    "range of nothing": _range_of("bytes */100"),
    "range of a huge number": _range_of("bytes 0-65535/" + "9" * 6000),
    "range without a size": _range_of("bytes 0-65535/*"),
    "short range": _short,
    "huge length": _huge_length,
    "huge file": _huge_file,
    "noise": _noise,
}
SLOW = {"drip": _drip, "dripping headers": _drip_headers}


@contextmanager
def rogue(kind: str) -> Iterator[str]:
    """Its address."""
    act = (KINDS | SLOW)[kind]
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)
    ended = threading.Event()

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)

            def send(data: bytes) -> None:
                if ended.is_set():
                    raise OSError
                connection.sendall(data)

            asked = b""
            while part := connection.recv(1 << 16):
                asked += part
                while b"\r\n\r\n" in asked:
                    request, _, asked = asked.partition(b"\r\n\r\n")
                    found = re.search(rb"bytes=(\d+)-(\d+)", request)
                    first, last = map(int, found.groups()) if found else (0, 0)
                    act(send, first, last)

    def serve() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection = listening.accept()[0]
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/model.tflite"
    finally:
        ended.set()
        thread.join()
        listening.close()
