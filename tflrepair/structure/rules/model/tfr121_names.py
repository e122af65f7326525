"""Two signatures, or two tensors of a signature, have the same name.

What: a signature key is there twice, or a signature has two inputs or two outputs of one name.

Why it matters: callers find one of the two, and which one depends on the runtime. A table that is
keyed by name forgets the other, so a check may call an unset variable initialized.

Example: `infer` twice, one of which sets no variable.

How it is fixed: give each its own name where the model is saved.
"""

from __future__ import annotations

from tflrepair.structure.subject import Subject

CODE = "TFR121"


def check(subject: Subject) -> None:
    rows, maps = subject.of("SignatureDef"), subject.of("TensorMap")
    seen: set[str] = set()
    for row, pos in enumerate(rows.ref("signature_key")):
        key = subject.text(pos)
        if pos > 0 and key in seen:
            text = f"there are two signatures {key!r}"
            subject.fault(CODE, rows, row, "signature_key", text)
        seen.add(key)
    names = [subject.text(pos) if pos > 0 else None for pos in maps.ref("name")]
    for side in ("inputs", "outputs"):
        for row, children in enumerate(rows.children(side)):
            mine: set[str] = set()
            for number in subject.numbers("TensorMap", children):
                name = names[number] if number >= 0 else None
                if name is not None and name in mine:
                    text = f"there are two {side} {name!r}"
                    subject.fault(CODE, rows, row, side, text)
                mine.add(name or "")
