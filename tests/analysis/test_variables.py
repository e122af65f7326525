"""Definite initialisation, on graphs built for each question and on real converter output."""

from __future__ import annotations

from build import Build
from resource_models import HALF, initializer, judged, reader, status, the

from tflrepair.commands.scan import scan
from tflrepair.graph.model import from_bytes
from tflrepair.report.scan_text import render
from tflrepair.report.style import Style


def test_nothing_sets_it() -> None:
    build = Build()
    reader(build)
    variable = the(judged(build))
    assert variable.status == "uninitialized"
    assert (variable.dtype, variable.shape, variable.nbytes) == ("float32", (2,), 8)
    assert variable.unset_in == ("infer",)


def test_call_once_first() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.call_once(1)
    sub.output(sub.read(sub.handle("w")))
    initializer(build)
    variable = the(judged(build))
    assert variable.status == "initialized"
    assert variable.initial is not None
    assert variable.initial.target == 1


def test_call_once_after_the_read_is_too_late() -> None:
    build = Build()
    sub = reader(build)
    sub.call_once(1)
    initializer(build)
    assert the(judged(build)).status == "partial"


def test_call_once_missing_from_one_entry() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.call_once(2)
    sub.output(sub.read(sub.handle("w")))
    reader(build, signature="other")
    initializer(build)
    variable = the(judged(build))
    assert variable.status == "partial"
    assert variable.unset_in == ("other",)


def test_an_initializer_that_nobody_calls_gives_nothing() -> None:
    build = Build()
    reader(build)
    initializer(build)
    variable = the(judged(build))
    assert variable.status == "uninitialized"
    assert len(variable.assigned_by) == 1


def test_order_dependent_names_both() -> None:
    build = Build()
    reader(build)
    setter = build.sub("load", "load")
    setter.assign(setter.handle("w"), setter.input())
    variable = the(judged(build))
    assert variable.status == "order-dependent"
    assert (variable.unset_in, variable.set_by) == (("infer",), ("load",))


def test_an_order_that_heals_only_part_of_an_entry_heals_nothing() -> None:
    """`infer` reads v and w, `load` sets only w: no order makes `infer` right."""
    build = Build()
    sub = reader(build)
    sub.output(sub.read(sub.handle("v")))
    setter = build.sub("load", "load")
    setter.assign(setter.handle("w"), setter.input())
    assert status(judged(build)) == {"v": "uninitialized", "w": "uninitialized"}


def test_a_setter_that_reads_garbage_heals_nothing() -> None:
    """`load` sets w from v, which nobody sets."""
    build = Build()
    reader(build)
    setter = build.sub("load", "load")
    setter.assign(setter.handle("w"), setter.read(setter.handle("v")))
    assert status(judged(build)) == {"w": "uninitialized", "v": "uninitialized"}


def test_healing_goes_over_several_entries() -> None:
    """`first` sets v, `second` computes w from v, `infer` reads w."""
    build = Build()
    reader(build)
    second = build.sub("second", "second")
    second.assign(second.handle("w"), second.read(second.handle("v")))
    first = build.sub("first", "first")
    first.assign(first.handle("v"), first.input())
    assert status(judged(build)) == {"w": "order-dependent", "v": "order-dependent"}


def test_set_before_read_in_each_entry_needs_no_initializer() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    handle = sub.handle("w")
    sub.assign(handle, sub.input())
    sub.output(sub.read(handle))
    assert the(judged(build)).status == "initialized"


def test_never_read() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.assign(sub.handle("w"), sub.input())
    sub.handle("nothing at all")
    assert status(judged(build)) == {"w": "unread", "nothing at all": "unread"}


def test_a_handle_from_nowhere_is_said_to_be_unknown() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.output(sub.read(sub.input("RESOURCE", ())))
    analysis = judged(build)
    assert not analysis.variables
    assert [(s.subgraph, s.operator) for s in analysis.unresolved] == [(0, 0)]


def test_container_and_name_together_are_the_identity() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.assign(sub.handle("w", "a"), sub.tensor(data=HALF))
    sub.output(sub.read(sub.handle("w", "b")))
    verdicts = {v.key.container: v.status for v in judged(build).variables}
    assert verdicts == {"a": "unread", "b": "uninitialized"}


def test_no_signatures_means_subgraph_0() -> None:
    build = Build()
    sub = build.sub("main")
    sub.output(sub.read(sub.handle("w")))
    other = build.sub("never called")
    other.read(other.handle("v"))
    analysis = judged(build)
    assert [e.subgraph for e in analysis.entries] == [0]
    assert status(analysis) == {"w": "uninitialized", "v": "unread"}


def test_subgraph_0_counts_beside_signatures() -> None:
    """Interpreter::Invoke runs subgraph 0, whether a signature leads there or not."""
    build = Build()
    sub = build.sub("main")
    sub.output(sub.read(sub.handle("w")))
    sub = build.sub("infer", "infer")
    sub.call_once(2)
    sub.output(sub.read(sub.handle("w")))
    initializer(build)
    variable = the(judged(build))
    assert variable.status == "partial"
    assert variable.unset_in == ("subgraph 0",)


def test_conflicting_shapes_under_one_name() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    handle = sub.handle("w")
    sub.read(handle, (2,))
    sub.read(handle, (3,))
    assert the(judged(build)).conflicts == (("float32", (3,)),)


def test_an_operator_newer_than_the_schema_is_carried_and_shown_by_number() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    value = sub.read(sub.handle("w"))
    sub.op("ADD", [value, value], [sub.tensor()])
    row = build.model.operatorCodes[build.names.index("ADD")]
    row.builtinCode, row.deprecatedBuiltinCode = 999, 127
    model = from_bytes(build.bytes())
    assert [o.name for o in model.subgraphs[0].operators][-1] == "BUILTIN 999"
    assert "BUILTIN 999 1" in render(scan(model), Style())
