#!/usr/bin/env python3
"""Times ONNX Runtime on a network that glia export wrote: a peer for benchmarks/beside.

  onnx_infer.py --model unet.onnx --batch 6      one JSON line like that of train_step --mode infer
"""
import argparse
import json
import os
import statistics
import time

import numpy as np
import onnxruntime

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("--model", required=True, help="file of glia export --onnx")
parser.add_argument("--batch", type=int, default=6, help="images at once (default 6)")
parser.add_argument("--size", type=int, default=240, help="height and width (default 240)")
parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: every core")
parser.add_argument("--warmup", type=int, default=3, help="runs that are not timed (default 3)")
parser.add_argument("--steps", type=int, default=10, help="runs that are (default 10)")
options = parser.parse_args()

settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = options.threads
session = onnxruntime.InferenceSession(options.model, settings, providers=["CPUExecutionProvider"])
channels = session.get_inputs()[0].shape[1]
images = np.random.default_rng(0).standard_normal(
    (options.batch, channels, options.size, options.size), dtype=np.float32)
seconds = []
for run in range(options.warmup + options.steps):
    start = time.perf_counter()
    session.run(["probability"], {"image": images})
    seconds.append(time.perf_counter() - start)
seconds = seconds[options.warmup:]
print(json.dumps({"peer": f"onnxruntime {onnxruntime.__version__}", "mode": "infer",
                  "batch": options.batch, "size": options.size, "threads": options.threads,
                  "step_s": statistics.median(seconds), "min_s": min(seconds),
                  "max_s": max(seconds)}))
