"""Train, save the state, restore it in another interpreter, and compare: what an app does.

    python save_restore.py MODEL TRAINING.npz

MODEL has the signatures infer, train, get_weights and set_weights.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

import tflrepair

model, data = sys.argv[1:]
examples = np.load(data)

first = Interpreter(model)
train = first.get_signature_runner("train")
for step in range(60):
    rows = slice(step % 12 * 8, step % 12 * 8 + 8)
    loss = float(train(x=examples["x"][rows], y=examples["y"][rows])["loss"])
    if step % 15 == 0:
        print(f"step {step:2}  loss {loss:.4f}")
print(f"step {step:2}  loss {loss:.4f}")
names = tflrepair.save_state(first, "state.npz")
print(f"saved: {len(names)} variables in state.npz")

second = Interpreter(model)
tflrepair.load_state(second, "state.npz")
answers = [
    interpreter.get_signature_runner("infer")(x=examples["x"][:1])["output"]
    for interpreter in (Interpreter(model), first, second)
]
untrained, trained, restored = answers
print(f"untrained model answers {np.round(untrained, 4)}")
print(f"trained model answers   {np.round(trained, 4)}")
print(f"restored model answers  {np.round(restored, 4)}")
same = np.array_equal(trained, restored) and not np.array_equal(untrained, trained)
print("equal to the last bit" if same else "they differ")
sys.exit(0 if same else 1)
