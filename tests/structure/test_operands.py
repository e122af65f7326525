"""The numbers of operands that we demand are those that LiteRT demands."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from build import Build
from conftest import TESTS

from tflrepair.format.schema import BUILTIN_OPERATOR_NAMES
from tflrepair.format.versions import VERSIONS
from tflrepair.structure.rules.model.operand_counts import COUNTS

_SAID = re.compile(r"(?:Num(In|Out)puts\(node\)|node->(in|out)puts->size)[^(]*\(\d+ != (\d+)\)")


def prepared(code: int, inputs: int, outputs: int) -> set[tuple[str, int]]:
    """What LiteRT says of an operator with so many float tensors: (in or out, number demanded)."""
    from ai_edge_litert import interpreter

    build = Build()
    graph = build.sub("main", "main")
    taken, made = [graph.input() for _ in range(inputs)], [graph.tensor() for _ in range(outputs)]
    graph.op(BUILTIN_OPERATOR_NAMES[code], taken, made)
    build.model.operatorCodes[-1].version = VERSIONS[code][0]
    kernels: Any = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        runner = interpreter.Interpreter(
            model_content=build.bytes(), experimental_op_resolver_type=kernels
        )
        runner.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        said = _SAID.findall(str(error))
        return {((a or b).lower(), int(number)) for a, b, number in said}
    return set()


@pytest.mark.runs
@pytest.mark.slow
def test_litert_demands_as_many() -> None:
    """Each operator with seven inputs and no outputs, in one child: kernels may crash."""
    script = (
        "import sys; sys.path.insert(0, '.')\n"
        "from structure.test_operands import COUNTS, prepared\n"
        "for code in COUNTS: print(code, *(f'{k}{n}' for k, n in prepared(code, 7, 0)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=TESTS, capture_output=True, text=True, check=True
    )
    said = {int(row.split()[0]): row.split()[1:] for row in done.stdout.splitlines()}
    assert said.keys() == COUNTS.keys()
    for code, words in said.items():
        inputs, outputs = COUNTS[code]
        assert set(words) <= {f"in{inputs}", f"out{outputs}"}, BUILTIN_OPERATOR_NAMES[code]
    assert sum(bool(words) for words in said.values()) > 0.9 * len(COUNTS)
