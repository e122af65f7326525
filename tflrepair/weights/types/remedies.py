"""What a refusal about weights tells to do: every such text, by name.

All are here, so that a test can follow each one as it is printed (tests/evidence/test_advice.py).
"""

from __future__ import annotations

REMEDIES = {
    "weights": "give one with --weights FILE",
    "check": "decide with --check IN.npz OUT.npz: what the Python model answers",
    "or-map": "; or with --map FILE",
    "map": "decide with --map FILE: a JSON object of variable name to weight path",
    "or-map-object": "; or with --map FILE: a JSON object of variable name to weight path",
    "accept": "; or with {options} (the result is then called not proven)",
    "by-name": "; or with --by-name, if the names in the file are this model's own",
    "array-of-the-other": "give it the other's array with --map FILE",
    "values-in-a-file": "give the variable's values in a file of weights",
    "one-of-the-files": "write one of: {paths}",
    "near": "did you mean: {names}",
    "names-of-a-dry-run": "see --dry-run for the names",
    "names-of-a-scan": "`tflrepair scan MODEL` lists the names",
    "set": "give it with {option}",
    "other-value": ", or another value",
    "set-copy": "; if each starts as a copy of its variable: {option}",
    "set-one": "give one with {option}",
    "rate": "give it with {option} VALUE{many}, or with --set {name}=VALUE",
    "any-rate": "; any value will do if you do not run {signatures}",
    "folded": "the converter folds what is near a layer into its constants: give the weights in "
    "another file, or this constant with --map FILE if it is right",
    "variance": "give the right array with --map FILE, or this one if it is right",
    "rounding": "--allow-rounding takes the nearest values",
    "narrow": "that type has no value close to some of its values; give another file",
    "acceptable": "it may be one of: {names}",
    "other-inputs": "give other inputs with --check, or decide with --map FILE (see --map-out)",
    "same-weights": "do the expected outputs come from these weights? --dry-run shows the match",
    "map-some": "decide some with --map FILE (see --dry-run, and --map-out to begin with)",
    "no-flex": "give the inputs and outputs of a signature without Flex, or decide with --map",
    "see-the-match": "nothing was written; look at the match with --dry-run",
    "replace": "give --replace to put a new value in its place",
    "prove": "give --check IN.npz OUT.npz with what the Python model answers",
    "keras-file": "or give the program's .keras file, which tells the activations",
    "if-not-so": "if that is not so: {option}",
    "then-check": "then add: --check {inputs} {outputs}",
    "map-out": "or add --map-out map.json, which lists what each variable can be, to choose by "
    "hand",
    "paste": "paste this, with your own values:",
    "fix-first": "--check and --map-out are options of `tflrepair fix`: repair the model with it, "
    "then rebuild what it wrote",
}


def remedy(name: str, /, **values: object) -> str:
    """The text of that name. Raises KeyError for another name, or a value that is missing."""
    return REMEDIES[name].format(**values)
