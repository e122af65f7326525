"""Steps of one training signature, when told: ``python training_worker.py JOB.json``.

Needs Python, numpy and a runtime, so that it runs in the environment with Flex, too. For each line
on stdin it makes the job's number of steps and prints the milliseconds of each as JSON: processor
time, which other processes do not lengthen.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np

with Path(sys.argv[1]).open() as stream:
    job = json.load(stream)
if job["eager"]:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = tf.saved_model.load(job["model"])
    function = loaded.signatures["train"]
    data = np.load(job["data"])
    feed: dict[str, Any] = {name: tf.constant(data[name]) for name in data.files}

    def run() -> float:
        return float(function(**feed)["loss"].numpy())

else:
    module = importlib.import_module(job["module"])
    kinds = module.OpResolverType
    kind = kinds.AUTO if job["delegate"] else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = module.Interpreter(
        model_path=job["model"], experimental_op_resolver_type=kind, num_threads=1
    )
    runner = interpreter.get_signature_runner("train")
    data = np.load(job["data"])
    feed = {name: data[name] for name in data.files}

    def run() -> float:
        return float(runner(**feed)["loss"])


for _ in range(2):
    run()
print("ready", flush=True)
for _line in sys.stdin:
    times = []
    for _ in range(job["steps"]):
        start = time.process_time()
        run()
        times.append(1000 * (time.process_time() - start))
    print(json.dumps(times), flush=True)
