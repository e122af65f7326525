"""Make tflrepair/targets/tables.py from sources of the runtimes, which are not kept here.

    python schema/generate_targets.py TFLITE_MICRO_CLONE LITERT_CLONE

Both are git clones; what is read, and at which commit, is written into the module.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tflrepair.format.schema import BUILTIN_OPERATOR_NAMES  # noqa: E402

TARGET = HERE.parent / "tflrepair" / "targets" / "tables.py"
RESOLVER = "tensorflow/lite/micro/micro_mutable_op_resolver.h"
REGISTER = "tflite/core/kernels/register.cc"
GPU = "tflite/tools/versioning/gpu_compatibility.cc"


def git(clone: str, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", clone, *arguments], capture_output=True, text=True, check=True
    ).stdout


def main(micro: str, litert: str) -> None:
    commits = {name: git(clone, "log", "-1", "--format=%H %cs").split()
               for name, clone in (("micro", micro), ("litert", litert))}  # fmt: skip
    resolver = git(micro, "show", f"HEAD:{RESOLVER}")
    register = git(litert, "show", f"HEAD:{REGISTER}")
    gpu = git(litert, "show", f"HEAD:{GPU}")
    methods = re.findall(r"TfLiteStatus (Add\w+)\((.*?)\n  \}", resolver, re.S)
    builtin, custom = {}, {}
    for method, body in methods:
        for name in re.findall(r"AddBuiltin\(\s*BuiltinOperator_(\w+)", body):
            builtin[name] = method
        for name in re.findall(r'AddCustom\(\s*"(\w+)"', body):
            custom[name] = method
    kernels = {
        name: (int(low or 1), int(high or 1))
        for name, low, high in re.findall(
            r"AddBuiltin\(BuiltinOperator_(\w+),\s*[\w:]+\(\)"
            r"(?:,\s*/\*\s*min_version\s*=?\s*\*/\s*(\d+),\s*/\*\s*max_version\s*=?\s*\*/\s*(\d+))?",
            register,
        )
    }
    customs = sorted(set(re.findall(r'AddCustom\(\s*"(\w+)"', register)))
    switch = gpu[gpu.index("CheckGpuDelegateCompatibility(const OpSignature& op_sig") :]
    switch = switch[: switch.index("\n}\n")]
    squeezed = {name.replace("_", ""): name for name in BUILTIN_OPERATOR_NAMES.values()}
    kinds = {squeezed[k.upper()] for k in re.findall(r"case kTfLiteBuiltin(\w+):", switch)}
    TARGET.write_text(
        render(
            micro_source=f"{RESOLVER} of tflite-micro, {' of '.join(commits['micro'])}",
            litert_source=f"{REGISTER} of LiteRT, {' of '.join(commits['litert'])}",
            gpu_source=f"{GPU} of LiteRT, {' of '.join(commits['litert'])}",
            micro=dict(sorted(builtin.items())),
            micro_custom=dict(sorted(custom.items())),
            litert=dict(sorted(kernels.items())),
            litert_custom=customs,
            gpu=sorted(kinds),
        ),
        encoding="utf-8",
    )


def render(**tables: object) -> str:
    out = [
        '"""Which operators each runtime has. Made by schema/generate_targets.py; do not edit."""',
        "",
        "from typing import Final",
        "",
    ]
    for name, value in tables.items():
        title = name.upper()
        if isinstance(value, str):
            path, rest = value.split(" of ", 1)
            out += [f"{title}: Final = (", f'    "{path} of "', f'    "{rest}"', ")"]
        elif isinstance(value, dict):
            out.append(f"{title}: Final = {{")
            out += [f'    "{k}": {literal(v)},' for k, v in value.items()] + ["}"]
        else:
            assert isinstance(value, list)
            out += [f"{title}: Final = frozenset(", "    ("]
            out += [f'        "{row}",' for row in value] + ["    )", ")"]
    return "\n".join(out) + "\n"


def literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
