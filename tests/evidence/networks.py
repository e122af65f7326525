"""Random small networks of look-alike layers, as two programs would make, save and export them.

No TensorFlow: the file is what Keras writes for a Functional model (layers sorted by depth, then by
a walk from the outputs; keras/src/ops/function.py, ``map_graph``), and the model is what the
converter leaves of it: scopes in tensor names, data flow, order of updates.

    python tests/evidence/networks.py 20000 [DOUBT...]     which are accepted, as with --accept
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from tflrepair import weights
from tflrepair.weights import MatchTable, Source, Target, Weight
from tflrepair.weights.types.architecture import INPUT, Architecture, Call, Unit
from tflrepair.weights.types.layer_flow import FlowOp, LayerFlow

WIDTH = 3
ACTIVATIONS = {"linear": "", "relu": "Relu", "tanh": "Tanh"}
JOINS = {"add": "ADD", "subtract": "SUB", "concatenate": "CONCATENATION"}


@dataclass
class Net:
    """Dense layers by name; what each takes; how several inputs and the outputs are joined."""

    takes: dict[str, list[str]]
    activation: dict[str, str]
    join: dict[str, str]  # layer (or "" for the output) -> class of the joining layer
    ends: list[str] = field(default_factory=list)

    def finish(self) -> Net:
        used = {name for names in self.takes.values() for name in names}
        self.ends = [name for name in self.takes if name not in used]
        return self

    def operations(self) -> list[tuple[str, list[str]]]:
        """(operation, what it takes), in data flow: ``join:x`` joins the inputs of x."""
        rows: list[tuple[str, list[str]]] = []
        for name, names in self.takes.items():
            if len(names) > 1:
                rows.append((f"join:{name}", names))
            rows.append((name, [f"join:{name}"] if len(names) > 1 else names))
        if len(self.ends) > 1:
            rows.append(("join:", self.ends))
        return rows

    def layers(self) -> list[str]:
        """The operations in the order of Keras's ``model.layers``."""
        takes = dict(self.operations())
        order: dict[str, int] = {}

        def walk(name: str) -> None:
            order.setdefault(name, len(order))
            for other in takes.get(name, []):
                walk(other)

        for end in ["join:"] if "join:" in takes else self.ends:
            walk(end)
        depth = dict.fromkeys(takes, 0)
        for name, names in reversed(list(takes.items())):
            for other in names:
                if other in depth:
                    depth[other] = max(depth[other], depth[name] + 1)
        return sorted(takes, key=lambda name: (-depth[name], order[name]))


def random_net(chance: random.Random) -> Net:
    names = [f"n{i}" for i in range(chance.randint(2, 6))]
    net = Net({}, {}, {"": chance.choice(list(JOINS))})
    for i, name in enumerate(names):
        count = min(i, chance.choice([1, 1, 1, 2])) if i and chance.random() < 0.8 else 0
        net.takes[name] = chance.sample(names[:i], count) if count else ["x"]
        net.activation[name] = chance.choice(list(ACTIVATIONS)[: chance.choice([1, 3])])
        net.join[name] = chance.choice(["add", "subtract"])
    return net.finish()


def changed(net: Net, chance: random.Random) -> Net:
    """The same network with one layer less: what took it takes what it took."""
    if len(net.takes) < 3 or chance.random() < 0.6:
        return net
    gone = chance.choice(list(net.takes))
    takes = {}
    for name, names in net.takes.items():
        if name != gone:
            new = [o for n in names for o in (net.takes[gone] if n == gone else [n])]
            takes[name] = list(dict.fromkeys(new))
    return Net(takes, net.activation, net.join).finish()


def numbers(net: Net, order: list[str], first: int) -> dict[str, str]:
    """What Keras calls each operation of a program that makes its layers in this order."""
    found, counts = {}, Counter[str]()
    joins = [name for name, _ in net.operations() if name.startswith("join:")]
    for name in [*(n for n in order if n in net.takes), *joins]:
        base = net.join[name.removeprefix("join:")] if name.startswith("join:") else "dense"
        number = counts[base] + (first if base == "dense" else 0)
        counts[base] += 1
        found[name] = f"{base}_{number}" if number else base
    return found


def value(name: str, role: str) -> np.ndarray:
    seed = random.Random(f"{name}/{role}").randint(0, 1 << 30)
    shape = (WIDTH, WIDTH) if role == "kernel" else (WIDTH,)
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def file_of(net: Net, called: dict[str, str], kind: str) -> Source:
    """``kind``: ``weights``, ``unnamed`` (before Keras 3.6) or ``keras``."""
    rows, weightless = [], [("input_layer", "" if kind == "unnamed" else "input_layer")]
    counts, unit_of = Counter[str](), dict[str, int]()
    found = Architecture()
    for name in net.layers():
        base = called[name].rstrip("0123456789").rstrip("_")
        step = f"layers/{base}_{counts[base]}" if counts[base] else f"layers/{base}"
        counts[base] += 1
        unit_of[name] = len(found.units)
        activation = net.activation.get(name) if base == "dense" else None
        found.units.append(Unit(step, (called[name],) * 2, base, activation, None))
        if base != "dense":
            weightless.append((base, "" if kind == "unnamed" else called[name]))
            continue
        names = () if kind == "unnamed" else ("functional", called[name])
        for index, role in enumerate(("kernel", "bias")):
            array = value(name, role)
            path = f"{step}/vars/{index}"
            rows.append(
                Weight("f", path, array.shape, "float32", names, (step,), index,
                       sorted_steps=(True,), reader=array.copy)
            )  # fmt: skip
    made: dict[str, int] = {"x": INPUT}
    for name, names_ in net.operations():
        found.calls.append(Call(unit_of[name], tuple(made[n] for n in names_)))
        made[name] = len(found.calls) - 1
    whole = found if kind == "keras" else None
    return Source("f", "Keras file", tuple(rows), architecture=whole, weightless=tuple(weightless))


def targets_of(net: Net, called: dict[str, str], trains: bool) -> list[Target]:
    flow = flow_of(net, called)
    line = sorted(net.takes)
    ancestors: dict[str, set[str]] = {}
    for name, names in net.takes.items():
        before = {n for n in names if n != "x"}
        ancestors[name] = before.union(*(ancestors[n] for n in before))
    dense = [name for name in net.layers() if name in net.takes]
    found = []
    for place, name in enumerate(line):
        for role in ("kernel", "bias"):
            mask = sum(3 << 2 * line.index(other) for other in ancestors[name])
            mask |= 1 << 2 * place if role == "bias" else 0
            rank = 2 * dense.index(name) + (role == "bias") if trains else None
            scope = f"functional_9_1/{called[name]}_1/Cast/ReadVariableOp"
            shape = value(name, role).shape
            found.append(
                Target("", f"{called[name]}/{role}", "float32", shape, place, mask, (scope,),
                       updated=rank, update_hint=rank, flow=flow)
            )  # fmt: skip
    return found


def flow_of(net: Net, called: dict[str, str]) -> LayerFlow:
    made, ops = {"x": 0}, list[FlowOp]()

    def op(kind: str, takes: list[int], variables: list[str], scope: tuple[str, ...]) -> int:
        outputs = (len(ops) + 1,)
        does = kind.lower() if kind.title() in ACTIVATIONS.values() else ""
        ops.append(
            FlowOp(kind, tuple(takes), outputs, frozenset(variables), (scope,), activation=does)
        )
        return outputs[0]

    for name, names in net.operations():
        scope = ("functional_9_1", f"{called[name]}_1")
        takes = [made[n] for n in names]
        if name.startswith("join:"):
            kind = JOINS[net.join[name.removeprefix("join:")]]
            made[name] = op(kind, takes, [], (*scope, kind.title()))
            continue
        last = op("BATCH_MATMUL", takes, [f"{called[name]}/kernel"], (*scope, "MatMul"))
        last = op("ADD", [last], [f"{called[name]}/bias"], (*scope, "BiasAdd"))
        word = ACTIVATIONS[net.activation[name]]
        made[name] = op(word.upper(), [last], [], (*scope, word)) if word else last
    ops[-1] = replace(ops[-1], scopes=(("out:0",),))
    return LayerFlow(frozenset({0}), ops[-1].outputs, tuple(ops))


def outcome(table: MatchTable, called: dict[str, str]) -> str:
    if table.problems:
        return "refused"
    back = {new: old for old, new in called.items()}
    for row in table.rows:
        layer, _, role = row.target.shared_name.partition("/")
        if not np.array_equal(row.value(), value(back[layer], role)):
            return "unproven" if table.unproven else "wrong"
    return "right"


def one_try(seed: int, accepted: tuple[str, ...] = ()) -> tuple[str, str]:
    """(what was tried, result). The file's network may have one layer more, or one less.

    With ``accepted`` (see ``--accept``) a result that is not right counts as wrong, although `fix`
    says that it is not proven.
    """
    chance = random.Random(seed)
    net = random_net(chance)
    kind = chance.choice(["weights", "unnamed", "keras"])
    donor, model = chance.choice([(net, changed(net, chance)), (changed(net, chance), net)])
    order = list(net.takes)
    mine = chance.sample(order, len(order))
    same = chance.random() < 0.3
    file = file_of(
        donor, numbers(donor, mine if same else chance.sample(order, len(order)), 0), kind
    )
    called = numbers(model, mine, chance.choice([0, 4]))
    targets = targets_of(model, called, chance.random() < 0.5)
    result = outcome(weights.match(targets, [file], accepted=accepted), called)
    what = "same program" if same and donor is model else "changed"
    return f"{kind}, {what}", "wrong" if accepted and result == "unproven" else result


def main() -> int:
    tries, *accepted = sys.argv[1:]
    counts = Counter(one_try(seed, tuple(accepted)) for seed in range(int(tries)))
    for (what, result), count in sorted(counts.items()):
        print(f"{what}: {result} {count}")
    return int(any(result == "wrong" for _, result in counts))


if __name__ == "__main__":
    sys.exit(main())
