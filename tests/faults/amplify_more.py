"""Sound but unlikely models for what writes, trains, runs and audits; see ``amplify``."""

from __future__ import annotations

from collections.abc import Callable

from ai_edge_litert import schema_py_generated as fb
from build import Build

from faults import amplify
from faults.amplify import ONE

_CARRIED = 1000


def with_values(count: int = 1500, signatures: int = 200) -> bytes:
    """1,500 variables that a common initializer sets, and 200 signatures that train all of them."""
    build = Build()
    train = build.sub("train", "train")
    x = train.input(shape=(8, 2))
    train.call_once(1)
    start = build.sub("start")
    one = start.tensor(data=ONE)
    for number in range(count):
        start.assign(start.handle(f"v{number}"), one)
        handle = train.handle(f"v{number}")
        train.assign(handle, train.read(handle))
    axes, loss = train.tensor("INT32", (2,), b"\0\0\0\0\1\0\0\0"), train.tensor(shape=())
    train.op("SUM", [x, axes], [loss], fb.ReducerOptionsT())
    train.output(loss)
    amplify.sign(build, signatures)
    return build.bytes()


def carried() -> bytes:
    """A loop that hands on 1,000 values, each of which takes the next one's place."""
    build = Build()
    main = build.sub("main", "run")
    count = main.tensor("INT32", (1,), bytes(4))
    values = [main.read(main.handle(f"v{n}")) for n in range(_CARRIED)]
    outs = [main.tensor("INT32", (1,)), *(main.tensor() for _ in values)]
    main.loop(1, 2, [count, *values], outs)
    main.output(outs[1])
    ask = build.sub("condition")
    counter = ask.input("INT32", (1,))
    for _ in values:
        ask.input()
    three, out = ask.tensor("INT32", (1,), b"\3\0\0\0"), ask.tensor("BOOL", (1,))
    ask.op("LESS", [counter, three], [out])
    ask.output(out)
    body = build.sub("body")
    counter = body.input("INT32", (1,))
    inside = [body.input() for _ in values]
    one, more = body.tensor("INT32", (1,), b"\1\0\0\0"), body.tensor("INT32", (1,))
    body.op("ADD", [counter, one], [more], fb.AddOptionsT())
    for tensor in (more, *inside[1:], inside[0]):
        body.output(tensor)
    return build.bytes()


def constant_chain() -> bytes:
    """2,000 additions of constants to one another and to a variable: all can be folded."""
    build = Build()
    main = build.sub("main", "run")
    value = main.read(main.handle("v"))
    for _ in range(2000):
        constant, out = main.tensor(data=ONE), main.tensor()
        main.op("ADD", [value, constant], [out], fb.AddOptionsT())
        value = out
    result = main.tensor()
    main.op("ADD", [value, main.input()], [result], fb.AddOptionsT())
    main.output(result)
    return build.bytes()


def endless_loop() -> bytes:
    """A loop whose condition is a constant, in a model that trains."""
    build = Build()
    main = build.sub("main", "run")
    handle, out = main.handle("v"), main.tensor()
    main.loop(1, 2, [main.input()], [out])
    main.assign(handle, main.read(handle))
    main.output(out)
    for name in ("condition", "body"):
        sub = build.sub(name)
        x = sub.input()
        sub.output(sub.tensor("BOOL", (1,), b"\x01") if name == "condition" else x)
    return build.bytes()


# as in ``amplify``; "audit" is no command, but a Scanner of one file; DATA is ten examples
OPTIMIZE = ("fix", "M", "--set", "*=1", "--strategy", "optimize", "--no-run", "-o", "OUT.tflite")
FREEZE = ("fix", "M", "--set", "*=1", "--freeze", "--no-run", "-o", "OUT.tflite")
RUN = ("fix", "M", "--set", "*=1", "-o", "OUT.tflite")
ADD = ("add-state", "M", "--state", "all", "-o", "OUT.tflite")
TRAIN = ("train", "M", "--data", "DATA", "--steps", "2", "--signature", "train", "-o", "OUT.tflite")
VERIFY, AUDIT = ("verify", "M", "--runtime", "litert"), ("audit", "M")
CASES: tuple[tuple[Callable[[], bytes], tuple[tuple[str, ...], ...]], ...] = (
    (with_values, (ADD, TRAIN, ("extract", "M", "-o", "OUT.npz"), AUDIT)),
    (carried, (FREEZE, OPTIMIZE, RUN, AUDIT)),
    (constant_chain, (FREEZE, OPTIMIZE, RUN, AUDIT)),
    (endless_loop, (RUN, VERIFY, ("diff", "M", "M", "--run"))),
    (amplify.entries_and_unset, (FREEZE, OPTIMIZE, RUN, AUDIT)),
    (amplify.checkpoint_names, (FREEZE, OPTIMIZE, RUN, AUDIT)),
    (amplify.restored, (FREEZE, OPTIMIZE, AUDIT)),
    (amplify.healed, (FREEZE, OPTIMIZE, AUDIT)),
    (amplify.many_subgraphs, (OPTIMIZE, RUN, AUDIT)),
    (amplify.many_findings, (OPTIMIZE, RUN, AUDIT)),
    (amplify.wide_text, (OPTIMIZE, RUN, AUDIT)),
    (amplify.entries_and_operators, (VERIFY, AUDIT)),
    (amplify.many_signatures, (VERIFY, AUDIT)),
    (amplify.fan, (VERIFY, AUDIT)),
    (amplify.deep_calls, (AUDIT,)),
    (amplify.unresolved, (AUDIT,)),
    (amplify.one_name, (AUDIT,)),
    (amplify.metadata, (AUDIT,)),
    (amplify.duplicate_signatures, (AUDIT,)),
)
