"""Make targets/tables.py and views/runtime_versions.py from the runtimes' sources, not kept here.

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
NNAPI = "tflite/delegates/nnapi/nnapi_delegate.cc"
RUNTIMES = "tflite/converter/tools/versioning/runtime_version.cc"
RUNTIMES_TARGET = HERE.parent / "tflrepair" / "views" / "runtime_versions.py"


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
    nnapi = git(litert, "show", f"HEAD:{NNAPI}")
    validate = nnapi[nnapi.index("bool NNAPIDelegateKernel::Validate(") :]
    validate = validate[: validate.index("\n}")]
    squeezed = {name.replace("_", ""): name for name in BUILTIN_OPERATOR_NAMES.values()}
    kinds, nnapi_kinds = (
        {squeezed[k.upper()] for k in re.findall(r"case kTfLiteBuiltin(\w+):", text)}
        for text in (switch, validate)
    )
    runtimes = git(litert, "show", f"HEAD:{RUNTIMES}")
    RUNTIMES_TARGET.write_text(
        render_runtimes(runtimes, f"{RUNTIMES} of LiteRT, {commits['litert'][0]}"), encoding="utf-8"
    )
    TARGET.write_text(
        render(
            micro_source=f"{RESOLVER} of tflite-micro, {' of '.join(commits['micro'])}",
            litert_source=f"{REGISTER} of LiteRT, {' of '.join(commits['litert'])}",
            gpu_source=f"{GPU} of LiteRT, {' of '.join(commits['litert'])}",
            nnapi_source=f"{NNAPI} of LiteRT, {' of '.join(commits['litert'])}",
            micro=dict(sorted(builtin.items())),
            micro_custom=dict(sorted(custom.items())),
            litert=dict(sorted(kernels.items())),
            litert_custom=customs,
            gpu=sorted(kinds),
            nnapi=sorted(nnapi_kinds),
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


def render_runtimes(source: str, told: str) -> str:
    """Operator -> version -> the first runtime that runs it."""
    codes = {name: code for code, name in BUILTIN_OPERATOR_NAMES.items()}
    found: dict[int, dict[int, str]] = {}
    for name, version, runtime in re.findall(
        r'\{\{BuiltinOperator_(\w+),\s*(\d+)\},\s*"([\d.]+)"\}', source
    ):
        found.setdefault(codes[name], {})[int(version)] = runtime
    path, commit = told.split(" of ", 1)
    rows = [
        '"""Which runtime first ran each version of an operator. Made by generate_targets.py.',
        "",
        f"Known from {path} of",
        f"{commit}.",
        '"""',
        "",
        "from typing import Final",
        "",
        "# fmt: off",  # one line a version would be 800 lines
        "RUNTIMES: Final[dict[int, dict[int, str]]] = {",
    ]
    for code, versions in sorted(found.items()):
        rows += [f"    {code}: {{  # {BUILTIN_OPERATOR_NAMES[code]}"]
        cells = [f'{version}: "{runtime}",' for version, runtime in sorted(versions.items())]
        rows += ["        " + " ".join(cells[n : n + 5]) for n in range(0, len(cells), 5)]
        rows += ["    },"]
    return "\n".join([*rows, "}"]) + "\n"


def literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
