"""The rebuilt module as a Python file that needs TensorFlow and NumPy only."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import UserError
from tflrepair.files import check_free, write
from tflrepair.graph.model import Model
from tflrepair.rebuild.emit.signature_names import rename_signatures
from tflrepair.rebuild.emit.source_text import source_of
from tflrepair.rebuild.emit.step_lines import Weights, Writer
from tflrepair.rebuild.ir.custom_nodes import allows_flex, custom_names
from tflrepair.rebuild.ir.planner import make_plan
from tflrepair.rebuild.ir.python_names import (
    identifier,
    input_names,
    reserved,
    unique,
    variable_names,
)
from tflrepair.rebuild.ir.steps import Function, FunctionId, Plan, SignatureFunction
from tflrepair.rebuild.ir.tensor_facts import dtype_of
from tflrepair.rebuild.run.module import module_of
from tflrepair.rebuild.run.starting_values import StartingValues, Values, starting_values

_HEAD = '''"""{title} as a TensorFlow module, rebuilt from its .tflite file.

Each method is a signature, each line in it an operator. The weights are in {npz}, which must lie
beside this file. Run this file to convert the module: it writes {out}.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

with np.load(Path(__file__).with_name("{npz}"), allow_pickle=False) as arrays:
    WEIGHTS = dict(arrays)

'''

_CONVERT = '''


def convert() -> bytes:
    """The module as a .tflite file."""
    module = {name}()
    signatures = {{
{signatures}
    }}
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.TFLITE_BUILTINS,
{flex}        ]
        converter.experimental_enable_resource_variables = True
{custom}        data = converter.convert()
    return {result}


if __name__ == "__main__":
    out = Path(__file__).with_suffix(".tflite")
    with out.open("xb") as stream:  # never over a file that is there
        stream.write(convert())
'''


def emit_python(model: Model, values: Values, out_py: Path, force: bool = False) -> None:
    """Write the rebuilt module to ``out_py``, and its weights to an .npz of the same name.

    Raises:
        UserError: ``out_py`` does not end in ``.py``, or one of the two files exists and
            ``force`` is not given.
        BadFileError, UnsupportedError, RefusedError: as ``build_module``.
    """
    out_npz = out_py.with_suffix(".npz")
    if out_py.suffix != ".py" or not re.fullmatch(r"[\w.\- ]+", out_py.name):
        raise UserError("the output must be a plain file name that ends in .py", where=str(out_py))
    check_free(out_py, force)
    check_free(out_npz, force)
    text, weights = python_source(model, values, out_npz.name)
    write(out_npz, weights, force)
    write(out_py, text.encode("utf-8"), force)


def python_source(model: Model, values: Values, npz: str) -> tuple[str, bytes]:
    """The file's text, and the bytes of the .npz that it reads under the name ``npz``."""
    import numpy as np

    plan = make_plan(model)
    starts = starting_values(plan, values)
    for endpoint in module_of(plan, starts).endpoints.values():
        endpoint.get_concrete_function()  # what TensorFlow refuses is not worth writing down
    title = re.sub(r"[^\w.\- ]", "_", Path(model.path or "The model").name)
    name = "".join(part.capitalize() for part in identifier(Path(title).stem).split("_"))
    emitted = _Module(plan, starts, f"{name}Module")
    methods = emitted.methods()
    text = _HEAD.format(title=title, npz=npz, out=Path(npz).with_suffix(".tflite"))
    text += "\n" + emitted.functions() + "\n\n\n" + "\n".join(methods) + emitted.convert()
    stream = io.BytesIO()
    np.savez(stream, **emitted.weights.arrays)  # type: ignore[arg-type]
    return text, stream.getvalue()


class _Module:
    """The class of the emitted file."""

    def __init__(self, plan: Plan, starts: StartingValues, name: str) -> None:
        self.plan = plan
        self.starts = starts
        self.name = name
        self.weights = Weights()
        taken = {*reserved(), *_module_attributes()}
        keys = [*starts.variables, *starts.tables]
        names = [f"table_{identifier(k.shared_name)}" for k in starts.tables]
        names = [identifier(k.shared_name) for k in starts.variables] + names
        self.attributes: Mapping[ResourceId, str] = dict(
            zip(keys, unique(names, taken), strict=True)
        )
        taken.update(self.attributes.values())
        self.entries = unique([identifier(entry.key) for entry in plan.entries], taken)
        called = [f for f in plan.functions if f not in plan.initializers]
        labels = [f"_{identifier(plan.model.subgraph(f[0]).name or 'subgraph')}" for f in called]
        self.called: Mapping[FunctionId, str] = dict(
            zip(called, unique(labels, taken), strict=True)
        )
        self.writer = Writer(plan, self.weights, self.attributes, self.called)

    def methods(self) -> list[str]:
        lines = [f"class {self.name}(tf.Module):", *self.initializer()]
        for entry, name in zip(self.plan.entries, self.entries, strict=True):
            lines += ["", *self.entry(entry, name)]
        for identity, name in self.called.items():
            lines += ["", *self.function(self.plan.functions[identity], name)]
        return lines

    def initializer(self) -> list[str]:
        lines = ["    def __init__(self) -> None:", "        super().__init__()"]
        shared = variable_names(self.starts.variables)
        for (key, start), name in zip(self.starts.variables.items(), shared, strict=True):
            value = self.weights.text(self.attributes[key], start.value)
            open_ = ""
            if -1 in start.shape:
                open_ = f", shape={[None if size < 0 else size for size in start.shape]}"
            lines.append(
                f"        self.{self.attributes[key]} = tf.Variable({value}, name={name!r}{open_})"
            )
        for key, (keys, values) in self.starts.tables.items():
            name = self.attributes[key]
            texts = [
                self.weights.text(f"{name}_{part}", array)
                for part, array in (("keys", keys), ("values", values))
            ]
            default = "''" if values.dtype == object else "0"
            lines.append(
                f"        self.{name} = tf.lookup.StaticHashTable("
                f"tf.lookup.KeyValueTensorInitializer({texts[0]}, {texts[1]}), {default})"
            )
        return lines

    def entry(self, entry: SignatureFunction, name: str) -> list[str]:
        subgraph = self.plan.model.subgraph(entry.function.subgraph)
        inputs = input_names(entry)
        specs = []
        for label, index in zip(inputs, entry.function.inputs, strict=True):
            tensor = subgraph.tensor(index)
            shape = [None if size < 0 else size for size in tensor.shape]
            specs.append(f"tf.TensorSpec({shape}, tf.{dtype_of(tensor)}, name={label!r})")
        body, results = self.writer.body(entry.function, inputs)
        pairs = ", ".join(f"{k!r}: {v}" for k, v in zip(entry.outputs, results, strict=True))
        return [
            "    @tf.function(",
            f"        input_signature=[{', '.join(specs)}],",
            "        autograph=False,",
            "    )",
            f"    def {name}({_parameters(inputs)}) -> dict[str, Any]:",
            *(f"        {line}" for line in body),
            f"        return {{{pairs}}}",
        ]

    def function(self, function: Function, name: str) -> list[str]:
        inputs = [f"a{number}" for number in range(len(function.inputs))]
        body, results = self.writer.body(function, inputs)
        return [
            f"    def {name}({_parameters(inputs)}) -> list[Any]:",
            *(f"        {line}" for line in body),
            f"        return [{', '.join(results)}]",
        ]

    def functions(self) -> str:
        """The operators' functions that the methods use; call after ``methods``."""
        used = list(self.writer.used.values())
        return source_of([*used, rename_signatures] if self.renames() else used)

    def renames(self) -> dict[str, tuple[dict[str, str], list[str], list[str]]]:
        """What the converter would not name or order like the signatures; {} if nothing."""
        wanted = {
            entry.key: (
                dict(zip(input_names(entry), entry.inputs, strict=True)),
                list(entry.inputs),
                list(entry.outputs),
            )
            for entry in self.plan.entries
        }
        right = all(
            inputs == sorted(inputs)
            and outputs == sorted(outputs)
            and all(old == new for old, new in names.items())
            for names, inputs, outputs in wanted.values()
        )
        return {} if right else wanted

    def convert(self) -> str:
        rows = [
            f"        {entry.key!r}: module.{name}.get_concrete_function(),"
            for entry, name in zip(self.plan.entries, self.entries, strict=True)
        ]
        wanted = self.renames()
        result = f"rename_signatures(data, {wanted!r})" if wanted else "data"
        model = self.plan.model
        flex = "            tf.lite.OpsSet.SELECT_TF_OPS,\n"
        custom = "        converter.allow_custom_ops = True\n"
        return _CONVERT.format(
            name=self.name,
            signatures="\n".join(rows),
            flex=flex if allows_flex(model) else "",
            custom=custom if custom_names(model) else "",
            result=result,
        )


def _parameters(inputs: list[str]) -> str:
    return ", ".join(["self", *(f"{name}: Any" for name in inputs)])


def _module_attributes() -> list[str]:
    import tensorflow as tf

    return dir(tf.Module())
