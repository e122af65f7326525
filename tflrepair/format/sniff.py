"""What a file that is no TensorFlow Lite model really is, in the words of the person who has it."""

from __future__ import annotations

import stat
from pathlib import Path

from tflrepair.errors import BadFileError
from tflrepair.opening import mode_of
from tflrepair.wording import plural

IDENTIFIER = b"TFL3"
_ZIP = b"PK\x03\x04"
_INSIDE = "`tflrepair scan FILE` lists the models inside; give one as FILE!/NAME"
_LFS = b"version https://git-lfs.github.com/spec/"

# first bytes -> (what it is, what to do)
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (_LFS, "a Git LFS pointer, not the model itself", "run `git lfs pull` to fetch the model"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "weights go to `--weights`, not to MODEL"),
    (_ZIP, "a ZIP archive (.task, .apk, .keras, .npz, .zip)", _INSIDE),
    (b"LITERTLM", "a LiteRT-LM bundle", _INSIDE),
    (b"\x1f\x8b", "gzip data", "unpack it first"),
    (b"BZh", "bzip2 data", "unpack it first"),
    (b"\x93NUMPY", "a NumPy array", "weights go to `--weights`, not to MODEL"),
    (b"\x80\x02", "a Python pickle", "give the .tflite file"),
    (b"\x80\x04", "a Python pickle", "give the .tflite file"),
    (b"#!", "a script", "give the .tflite file"),
)


def check_kind(path: Path) -> int:
    """The size in bytes of the regular, non-empty file at ``path``.

    Raises:
        BadFileError: there is no such file, or it is a directory, a device or empty.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise BadFileError("there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFileError(f"cannot be opened: {reason}") from None
    if stat.S_ISDIR(status.st_mode):
        if mode_of(path / "saved_model.pb"):
            raise BadFileError(
                "is a SavedModel folder, not a .tflite file", hint="convert it to .tflite first"
            )
        raise BadFileError("is a directory, not a .tflite file")
    if not stat.S_ISREG(status.st_mode):
        raise BadFileError("is not a regular file")
    if status.st_size == 0:
        raise BadFileError("is empty (0 bytes)", hint="the download or conversion did not finish")
    return status.st_size


def check_head(head: bytes, size: int) -> None:
    """Accept the first bytes of a model, or say what they are instead.

    Args:
        head: the first bytes of the file, up to some 512.
        size: the whole file's length in bytes.

    Raises:
        BadFileError: bytes 4 to 8 are not ``TFL3``, the schema's file identifier.
    """
    if head[4:8] == IDENTIFIER and size >= 8:
        return
    # MediaPipe's .task files begin with a few zeros, which align what they hold
    begin = head.lstrip(b"\0") if head.lstrip(b"\0").startswith(_ZIP) else head
    for magic, what, hint in _MAGIC:
        if begin.startswith(magic):
            raise BadFileError(f"is {what}, not a .tflite file", hint=hint)
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise BadFileError(
            "is an HTML page, not a .tflite file", hint="the download answered with a web page"
        )
    if text.startswith((b"{", b"[")):
        raise BadFileError("is JSON text, not a .tflite file")
    if size < 8:
        raise BadFileError(f"has only {plural(size, 'byte')}, too few for a .tflite file")
    if not any(head):
        raise BadFileError("is all zero bytes at its start, not a .tflite file")
    found = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in head[4:8])
    raise BadFileError(
        f"is not a .tflite file: bytes 4 to 8 are {found!r}, not 'TFL3'",
        where="byte 4",
        hint="it is another kind of file or was damaged",
    )
