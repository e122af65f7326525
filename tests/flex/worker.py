"""Trains, saves and restores a model in an environment whose tf.lite has Flex; prints JSON.

    python worker.py MODEL IO.npz FOLDER

Run by test_flex.py with another Python, which has tensorflow and numpy and nothing of ours.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

model, io, folder = sys.argv[1:]
images = np.load(io)["x"]
labels = np.eye(62, dtype=np.float32)[[1, 5, 9, 20, 33, 60]]
path = np.array(f"{folder}/checkpoint", dtype=np.bytes_)

trained = tf.lite.Interpreter(model)
losses = [
    float(trained.get_signature_runner("train")(x=images, y=labels)["loss"]) for _ in range(5)
]
# `infer` and `serving_default` are called here for the first time, after training
infer = trained.get_signature_runner("infer")(x=images)["output"]
serving = trained.get_signature_runner("serving_default")(x=images)["output"]
trained.get_signature_runner("save")(checkpoint_path=path)

fresh = tf.lite.Interpreter(model)
before = fresh.get_signature_runner("infer")(x=images)["output"]
fresh.get_signature_runner("restore")(checkpoint_path=path)
# what save holds is what restore sets: a second save from the restored one is the same file
again = np.array(f"{folder}/again", dtype=np.bytes_)
fresh.get_signature_runner("save")(checkpoint_path=again)
restored = fresh.get_signature_runner("infer")(x=images)["output"]
first, second = (tf.train.load_checkpoint(str(p.astype(str))) for p in (path, again))
names = sorted(first.get_variable_to_shape_map())
same = all(np.array_equal(first.get_tensor(n), second.get_tensor(n)) for n in names)

print(
    json.dumps(
        {
            "losses": losses,
            "names": names,
            "checkpoints_equal": bool(same),
            "trained_change": float(np.abs(infer - before).max()),
            "signatures_differ": float(np.abs(infer - serving).max()),
            "restored_differ": float(np.abs(infer - restored).max()),
            "restored_change": float(np.abs(restored - before).max()),
        }
    )
)
