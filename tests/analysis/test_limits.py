"""Shared subgraphs and options: what no converter writes ends with an error, and soon."""

from __future__ import annotations

import pytest
from build import Build

from tflrepair.analysis.budget import Budget
from tflrepair.analysis.variables import analyse
from tflrepair.errors import UnsupportedError
from tflrepair.graph.model import from_bytes
from tflrepair.weights.model_facts.layer_flow import layer_flow

MANY = 1100


def test_entries_that_take_over_what_one_subgraph_reads_unset() -> None:
    """Each of 1,100 signatures calls a subgraph that reads 1,100 variables: 1.2 million rows."""
    build = Build()
    for number in range(MANY):
        build.sub(f"s{number}", f"s{number}").call(MANY, [], [])
    body = build.sub("body")
    for number in range(MANY):
        body.read(body.handle(f"v{number}"))
    with pytest.raises(UnsupportedError, match="more than 1,000,000 steps"):
        analyse(from_bytes(build.bytes()))


def test_a_subgraph_that_is_called_with_ever_other_handles() -> None:
    build = Build()
    main = build.sub("main", "main")
    for number in range(MANY):
        main.call(1, [main.handle(f"v{number}")], [])
    body = build.sub("body")
    handle = body.input("RESOURCE", ())
    for _ in range(MANY):
        body.read(handle)
    with pytest.raises(UnsupportedError, match="more than 1,000,000 steps"):
        analyse(from_bytes(build.bytes()))


def test_a_large_file_may_take_more_steps() -> None:
    Budget(3_000_000).spend(2_000_000)
    with pytest.raises(UnsupportedError):
        Budget(10).spend(2_000_000)


def test_a_chain_of_entries_heals_from_its_far_end() -> None:
    """Each reads what the next one sets; judged round by round this would be quadratic."""
    count = 300
    build = Build()
    for number in range(count):
        sub = build.sub(f"s{number}", f"s{number}")
        if number < count - 1:
            sub.read(sub.handle(f"v{number}"))
        if number:
            sub.assign(sub.handle(f"v{number - 1}"), sub.tensor(data=bytes(4)))
    found = analyse(from_bytes(build.bytes())).variables
    assert len(found) == count - 1
    assert {v.status for v in found} == {"order-dependent"}


def test_a_chain_of_all_variables() -> None:
    """What each link is made of is not kept: 10,000 variables took 2.3 GB."""
    build = Build()
    main = build.sub("main", "main")
    total = main.read(main.handle("v"))
    for number in range(200):
        value, out = main.read(main.handle(f"v{number}")), main.tensor()
        main.op("ADD", [total, value], [out])
        total = out
    out = main.tensor()
    main.op("ADD", [main.input(), total], [out])
    main.op("ADD", [out, main.read(main.handle("bias"))], [main.tensor()])
    flow = layer_flow(from_bytes(build.bytes()))
    assert flow is not None
    assert [set(op.variables) for op in flow.ops] == [set(), {"bias"}]
