"""Sound but unlikely models, small files that made some command take long or fill memory once."""

from __future__ import annotations

from collections.abc import Callable

from ai_edge_litert import schema_py_generated as fb
from build import Build, Sub
from flatbuffers import flexbuffers

from tflrepair.format import strings

ONE = b"\0\0\x80\x3f" * 2


def many_subgraphs() -> bytes:
    """One that calls 1,500 others, each of which reads a variable."""
    build = Build()
    main = build.sub("main", "run")
    main.output(main.input())
    for number in range(1, 1501):
        main.call(number)
        sub = build.sub(f"s{number}")
        sub.output(sub.read(sub.handle("v")))
        sub.table.outputs = []
    return build.bytes()


def deep_calls() -> bytes:
    """1,000 subgraphs, each of which calls the next with the variable's handle."""
    build = Build()
    for number in range(1000):
        sub = build.sub(f"s{number}", "run" if not number else None)
        handle = sub.handle("v") if not number else sub.input("RESOURCE", ())
        if number < 999:
            sub.call(number + 1, [handle])
        else:
            sub.read(handle)
    return build.bytes()


def shared_levels() -> bytes:
    """40 subgraphs, each of which calls the next twice: 2 to the 40th ways through."""
    build = Build()
    for number in range(40):
        sub = build.sub(f"s{number}", "run" if not number else None)
        handle = sub.handle("v") if not number else sub.input("RESOURCE", ())
        for _ in range(2):
            if number < 39:
                sub.call(number + 1, [handle])
            else:
                sub.read(handle)
    return build.bytes()


def unresolved() -> bytes:
    """5,000 reads of handles that no operator makes."""
    build = Build()
    sub = build.sub("main", "run")
    for _ in range(5000):
        sub.read(sub.input("RESOURCE", ()))
    return build.bytes()


def flex_options() -> bytes:
    """An operator of 100 KB of options in a subgraph of 300 signatures."""
    build = Build()
    sub = build.sub("main")
    x = sub.input()
    y = sub.tensor()
    sub.op("FlexSin", [x], [y])
    builder = flexbuffers.Builder()
    with builder.Vector():
        builder.String("Sin")
        builder.String("\n\x01n\x12\x03Sin" + "\x1a\x01x" * 33_000)  # a NodeDef of 33,000 inputs
    sub.table.operators[0].customOptions = list(builder.Finish())
    sub.output(y)
    sign(build, 300)
    return build.bytes()


def sign(build: Build, count: int, subgraph: int = 0) -> None:
    for number in range(count):
        row = fb.SignatureDefT()
        row.signatureKey, row.subgraphIndex = f"key{number}", subgraph
        build.model.signatureDefs.append(row)


def _checkpoint(sub: Sub, names: list[str], kind: str) -> None:
    prefix = sub.tensor("STRING", (), strings.pack(["p"]))
    keys = sub.tensor("STRING", (len(names),), strings.pack(names))
    if kind == "save":
        sub.op("FlexSave", [prefix, keys, *(sub.read(sub.handle(n)) for n in names)], [])
        return
    outs = [sub.tensor() for _ in names]
    sub.op("FlexRestore", [prefix, keys], outs)
    for name, out in zip(names, outs, strict=True):
        sub.assign(sub.handle(name), out)


def checkpoint_names() -> bytes:
    """200 signatures of a save of 1,500 names."""
    build = Build()
    _checkpoint(build.sub("save"), [f"v{n}" for n in range(1500)], "save")
    sign(build, 200)
    return build.bytes()


def restored() -> bytes:
    """1,500 variables that one signature restores and 200 read."""
    build, names = Build(), [f"v{n}" for n in range(1500)]
    _checkpoint(build.sub("restore", "restore"), names, "restore")
    sub = build.sub("infer")
    for name in names:
        sub.read(sub.handle(name))
    sign(build, 200, 1)
    return build.bytes()


def entries_and_operators(signatures: int = 1000, operators: int = 3000) -> bytes:
    """1,000 signatures of a subgraph of 3,000 operators."""
    build = Build()
    sub = build.sub("main")
    value = sub.input()
    for _ in range(operators):
        out = sub.tensor()
        sub.op("NEG", [value], [out])
        value = out
    sub.output(value)
    sign(build, signatures)
    return build.bytes()


def many_signatures() -> bytes:
    """200 signatures of a model of 1,000 tensors, once refused: all tensors read for each."""
    return entries_and_operators(200, 1000)


def entries_and_unset() -> bytes:
    """600 signatures of a subgraph that reads 1,500 variables that nothing sets."""
    build = Build()
    sub = build.sub("main")
    for number in range(1500):
        sub.read(sub.handle(f"v{number}"))
    sign(build, 600)
    return build.bytes()


def healed() -> bytes:
    """500 signatures, each of which sets what the next one reads."""
    build = Build()
    for number in range(500):
        sub = build.sub(f"s{number}", f"s{number}")
        sub.read(sub.handle(f"v{number}"))
        sub.assign(sub.handle(f"v{number + 1}"), sub.tensor(data=ONE))
    return build.bytes()


def duplicate_signatures() -> bytes:
    """3,000 signatures of one name."""
    build = Build()
    sub = build.sub("main")
    sub.output(sub.read(sub.handle("v")))
    sign(build, 3000)
    for row in build.model.signatureDefs:
        row.signatureKey = "same"
    return build.bytes()


def reversed_operators() -> bytes:
    """Against ``entries_and_operators``: other operators in another order."""
    build = Build()
    sub = build.sub("main", "key0")
    value = sub.input()
    for number in range(3000):
        out = sub.tensor(shape=(2, number % 7 + 1))
        sub.op(("ABS", "NEG", "EXP", "SIN")[number * number % 4], [value], [out])
        value = out
    sub.output(value)
    return build.bytes()


def fan() -> bytes:
    """A tensor that 8,000 operators read, and all they write one other reads."""
    build = Build()
    sub = build.sub("main", "run")
    x = sub.input()
    outs = [sub.tensor() for _ in range(8000)]
    for out in outs:
        sub.op("NEG", [x], [out])
    result = sub.tensor()
    sub.op("ADD_N", outs, [result])
    sub.output(result)
    return build.bytes()


def one_name() -> bytes:
    """4,000 operators whose 4,000 constants have one name and the same values."""
    build = Build()
    sub = build.sub("main", "run")
    x = sub.input()
    outs = []
    for _ in range(4000):
        constant, out = sub.tensor(data=ONE * 4, shape=(8,)), sub.tensor()
        sub.op("ADD", [x, constant], [out])
        outs.append(out)
    for tensor in sub.table.tensors:
        tensor.name = "same"
    sub.table.outputs = outs
    return build.bytes()


def many_findings() -> bytes:
    """2,000 variables that nothing sets, with names of 100 letters."""
    build = Build()
    sub = build.sub("main", "run")
    for number in range(2000):
        sub.read(sub.handle(f"{number}-" + "<&\x1b[31m" * 12))
    return build.bytes()


def wide_text() -> bytes:
    """A name of 2 MB of letters that are two columns wide."""
    build = Build()
    sub = build.sub("main", "run")
    sub.output(sub.read(sub.handle("\u5b57" * 700_000)))
    return build.bytes()


def metadata() -> bytes:
    """5,000 pieces of metadata of JSON that opens 100 lists."""
    build = Build()
    sub = build.sub("main", "run")
    sub.output(sub.input())
    build.model.metadata = []
    for number in range(5000):
        row, buffer = fb.MetadataT(), fb.BufferT()
        buffer.data = list(b"[" * 100)
        row.name, row.buffer = f"m{number}", len(build.model.buffers)
        build.model.buffers.append(buffer)
        build.model.metadata.append(row)
    return build.bytes()


def strings_bomb() -> bytes:
    """A constant of 300,000 empty strings."""
    build = Build()
    sub = build.sub("main", "run")
    sub.output(sub.tensor("STRING", (300_000,), strings.pack([""] * 300_000)))
    return build.bytes()


def branches() -> bytes:
    """30 levels of IF, each of which has two of the next level's subgraph."""
    build = Build()
    for number in range(30):
        sub = build.sub(f"s{number}", "run" if not number else None)
        x, y = sub.input(), sub.tensor()
        if number < 29:
            sub.branch(number + 1, number + 1, [x], [y])
        else:
            sub.op("NEG", [x], [y])
        sub.output(y)
    return build.bytes()


# the file, and what is asked of it: M is the file, OTHER another, OUT what is written
SCAN, FIX = ("scan", "M"), ("fix", "M", "--set", "*=1", "--no-run", "-o", "OUT.tflite")
CASES: tuple[tuple[Callable[[], bytes], tuple[tuple[str, ...], ...]], ...] = (
    (many_subgraphs, (SCAN, FIX, ("show", "M"))),
    (deep_calls, (SCAN, FIX)),
    (shared_levels, (SCAN, FIX)),
    (unresolved, (SCAN, FIX)),
    (flex_options, (SCAN, ("show", "M", "--all"))),
    (checkpoint_names, (SCAN, FIX)),
    (restored, (SCAN, FIX)),
    (entries_and_operators, (SCAN, ("diff", "M", "OTHER"))),
    (entries_and_unset, (SCAN, FIX)),
    (healed, (SCAN, FIX)),
    (duplicate_signatures, (SCAN,)),
    (many_signatures, (SCAN,)),
    (reversed_operators, (("diff", "M", "OTHER"), ("diff", "OTHER", "M"))),
    (fan, (SCAN, ("show", "M", "--around", "8000", "--all"), ("show", "M", "--op", "NEG"))),
    (fan, (("extract", "M", "--signature", "run", "-o", "OUT.tflite"),)),
    (one_name, (("scan", "M", "--values"), ("diff", "M", "M"), ("show", "M", "--tensor", "same"))),
    (one_name, (("extract", "M", "--constants", "-o", "OUT.npz"),)),
    (one_name, (("extract", "M", "--constants", "-o", "OUT.h5"),)),
    (many_findings, (("scan", "M", "--format", "sarif"), ("scan", "M", "--html", "OUT.html"))),
    (many_findings, (("scan", "M", "--format", "md"), ("scan", "M", "--fix-hints", "--all"))),
    (many_findings, (("fix", "M", "--set", "*=1", "--freeze", "--no-run", "-o", "OUT.tflite"),)),
    (many_findings, (("scan", "M", "--target", "tflm"),)),
    (wide_text, (SCAN, ("show", "M", "--all"), FIX)),
    (metadata, (SCAN, ("show", "M"), ("diff", "M", "OTHER"))),
    (strings_bomb, (("scan", "M", "--values"), ("show", "M", "--tensor", "#0", "--values"))),
    (branches, (SCAN, ("show", "M"), ("extract", "M", "--signature", "run", "-o", "OUT.tflite"))),
)
