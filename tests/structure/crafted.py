"""Files that no writer makes, byte by byte: small, and made to waste time or memory."""

from __future__ import annotations

import struct
from collections.abc import Callable


class Raw:
    """A flatbuffer under construction, from front to back; a reference is set when its target is
    written, by ``point``."""

    def __init__(self) -> None:
        self.out = bytearray(b"\0\0\0\0TFL3")

    def table(self, **slots: int) -> dict[str, int]:
        """A table of 4-byte fields, zero for now, by slot; gives the place of each and ``""``.

        Slots are written as ``f0=value``: field 0 holds ``value``.
        """
        numbers = {int(name[1:]): value for name, value in slots.items()}
        last = max(numbers, default=-1)
        size = 4 + 4 * len(numbers)
        offsets = dict(zip(numbers, range(4, size, 4), strict=True))
        vtable = struct.pack("<HH", 4 + 2 * (last + 1), size)
        vtable += b"".join(struct.pack("<H", offsets.get(n, 0)) for n in range(last + 1))
        self.align()
        begin = len(self.out)
        self.out += vtable
        self.align()
        pos = len(self.out)
        self.out += struct.pack("<i", pos - begin)
        self.out += b"".join(struct.pack("<I", value & 0xFFFFFFFF) for value in numbers.values())
        return {"": pos} | {f"f{n}": pos + offset for n, offset in offsets.items()}

    def again(self, table: dict[str, int], **slots: int) -> dict[str, int]:
        """Another table with the vtable of ``table``."""
        shift = len(self.out) - table[""]
        vtable = table[""] - struct.unpack_from("<i", self.out, table[""])[0]
        self.out += struct.pack("<i", len(self.out) - vtable)
        self.out += b"".join(struct.pack("<I", value & 0xFFFFFFFF) for value in slots.values())
        return {name: place + shift for name, place in table.items()}

    def align(self) -> None:
        self.out += bytes(-len(self.out) % 4)

    def point(self, place: int, target: int) -> None:
        struct.pack_into("<I", self.out, place, target - place)

    def numbers(self, values: list[int]) -> int:
        """A vector of 32-bit numbers; its place."""
        self.align()
        pos = len(self.out)
        self.out += struct.pack(f"<I{len(values)}I", len(values), *values)
        return pos

    def references(self, count: int) -> int:
        """A vector of references to tables, to be set; its place."""
        return self.numbers([0] * count)

    def set_all(self, vector: int, targets: list[int]) -> None:
        for number, target in enumerate(targets):
            self.point(vector + 4 + 4 * number, target)

    def model(self) -> dict[str, int]:
        """The first table, with one empty buffer and one operator code (ADD)."""
        root = self.table(f0=3, f1=0, f2=0, f4=0)
        self.point(0, root[""])
        codes = self.references(1)
        self.point(root["f1"], codes)
        self.set_all(codes, [self.table(f2=1)[""]])
        buffers = self.references(1)
        self.point(root["f4"], buffers)
        self.set_all(buffers, [self.table()[""]])
        return root

    def bytes(self) -> bytes:
        self.align()
        return bytes(self.out) + bytes(8)


def _one_graph(raw: Raw, tensors: int, operators: int) -> tuple[int, int]:
    """A model with one subgraph; its vectors of tensors and operators, to be set."""
    root = raw.model()
    graphs = raw.references(1)
    raw.point(root["f2"], graphs)
    graph = raw.table(f0=0, f3=0)
    raw.set_all(graphs, [graph[""]])
    tables = raw.references(tensors)
    raw.point(graph["f0"], tables)
    calls = raw.references(operators)
    raw.point(graph["f3"], calls)
    return tables, calls


def long_shape(count: int = 100_000) -> bytes:
    """A tensor of 100,000 dimensions."""
    raw = Raw()
    tensors, _ = _one_graph(raw, 1, 0)
    tensor = raw.table(f0=0)
    raw.set_all(tensors, [tensor[""]])
    raw.point(tensor["f0"], raw.numbers([2] * count))
    return raw.bytes()


def shared_operators(graphs: int = 1000, operators: int = 998) -> bytes:
    """Subgraphs of their own that share one list of operators, all the same."""
    raw = Raw()
    root = raw.model()
    vector = raw.references(graphs)
    raw.point(root["f2"], vector)
    first = raw.table(f0=0, f3=0)
    tables = [first, *(raw.again(first, f0=0, f3=0) for _ in range(graphs - 1))]
    raw.set_all(vector, [table[""] for table in tables])
    tensors, calls = raw.references(0), raw.references(operators)
    for table in tables:
        raw.point(table["f0"], tensors)
        raw.point(table["f3"], calls)
    raw.set_all(calls, [raw.table(f0=0)[""]] * operators)
    return raw.bytes()


def overlapping_lists(count: int = 20_000) -> bytes:
    """Subgraphs whose lists of operators begin one word after the other."""
    raw = Raw()
    root = raw.model()
    vector = raw.references(count)
    raw.point(root["f2"], vector)
    first = raw.table(f3=0)
    tables = [first, *(raw.again(first, f3=0) for _ in range(count - 1))]
    raw.set_all(vector, [table[""] for table in tables])
    words = raw.numbers([count] * 2 * count)
    for number, table in enumerate(tables):
        raw.point(table["f3"], words + 4 * number)
    return raw.bytes()


def _overlapping(slot: str, count: int, size: int) -> bytes:
    """Tensors whose vector in ``slot`` begins one word after the other, ``size`` long."""
    raw = Raw()
    tensors, _ = _one_graph(raw, count, 0)
    first = raw.table(**{slot: 0})
    tables = [first, *(raw.again(first, **{slot: 0}) for _ in range(count - 1))]
    raw.set_all(tensors, [table[""] for table in tables])
    words = raw.numbers([size] * (count + size))
    for number, table in enumerate(tables):
        raw.point(table[slot], words + 4 * number)
    return raw.bytes()


def overlapping_shapes() -> bytes:
    return _overlapping("f0", 10_000, 60)


def overlapping_names() -> bytes:
    return _overlapping("f3", 20_000, 0x20000)


def shared_inputs(operators: int = 20_000, tensors: int = 50_000) -> bytes:
    """Operators that all take the same 50,000 tensors."""
    raw = Raw()
    _, calls = _one_graph(raw, 0, operators)
    first = raw.table(f0=0, f1=0)
    tables = [first, *(raw.again(first, f0=0, f1=0) for _ in range(operators - 1))]
    raw.set_all(calls, [table[""] for table in tables])
    taken = raw.numbers([0xFFFFFFFF] * tensors)
    for table in tables:
        raw.point(table["f1"], taken)
    return raw.bytes()


def own_vtables(count: int = 20_000) -> bytes:
    """Each tensor with a list of fields of its own."""
    raw = Raw()
    tensors, _ = _one_graph(raw, count, 0)
    raw.set_all(tensors, [raw.table(f0=0, f3=0, f4=0)[""] for _ in range(count)])
    return raw.bytes()


def all_offsets_broken(count: int = 60_000) -> bytes:
    """A list of 60,000 tensors, none of which is there."""
    raw = Raw()
    tensors, _ = _one_graph(raw, count, 0)
    struct.pack_into(f"<{count}I", raw.out, tensors + 4, *([0x70000000] * count))
    return raw.bytes()


def shared_scales(tensors: int = 20_000, scales: int = 50_000) -> bytes:
    """One quantization with 50,000 scales for 20,000 tensors."""
    raw = Raw()
    vector, _ = _one_graph(raw, tensors, 0)
    first = raw.table(f4=0)
    tables = [first, *(raw.again(first, f4=0) for _ in range(tensors - 1))]
    raw.set_all(vector, [table[""] for table in tables])
    quantization = raw.table(f2=0, f3=0)
    for table in tables:
        raw.point(table["f4"], quantization[""])
    raw.point(quantization["f2"], raw.numbers([0x3F800000] * scales))
    longs = raw.numbers([scales] + [0] * (2 * scales))  # a vector of int64 within one of int32
    raw.point(quantization["f3"], longs + 4)
    return raw.bytes()


CASES: tuple[Callable[[], bytes], ...] = (
    long_shape,
    shared_operators,
    overlapping_lists,
    overlapping_shapes,
    overlapping_names,
    shared_inputs,
    own_vtables,
    all_offsets_broken,
    shared_scales,
)
