#!/usr/bin/env python3
"""Checks files that Norma exported: onnx.checker, shape inference, and the results of ONNX Runtime.

    swift run conformance --export exports
    python3 Tools/check-onnx-export.py exports      # needs onnx, onnxruntime and numpy

Each NAME.onnx has a NAME.npz with inputs (in.NAME) of another batch size than the exported call's,
and Norma's results (out.NAME). The largest difference, relative to the largest value, must be at
most 1e-5. Also printed: the time of one call in ONNX Runtime.
"""
import glob
import os
import sys
import time

import numpy as np
import onnx
import onnxruntime

BOUND = 1e-5


def check(path):
    """The problem of a file, or None; prints a line."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    values = np.load(path.replace(".onnx", ".npz"))
    inputs = {name[3:]: values[name] for name in values if name.startswith("in.")}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    start = time.perf_counter()
    outputs = session.run(None, inputs)
    milliseconds = (time.perf_counter() - start) * 1e3
    worst = 0.0
    for info, found in zip(session.get_outputs(), outputs):
        wanted = values["out." + info.name]
        if found.shape != wanted.shape:
            return f"{info.name} has shape {found.shape}, expected {wanted.shape}"
        scale = np.abs(wanted).max()
        worst = max(worst, float(np.abs(found - wanted).max() / scale))
    size = os.path.getsize(path)
    print(
        f"{os.path.basename(path):20} {len(model.graph.node):5} nodes {size:11} bytes"
        f"  error {worst:.1e}  {milliseconds:7.1f} ms"
    )
    return None if worst <= BOUND else f"the results differ by {worst:.1e} of the largest value"


def main():
    paths = sorted(glob.glob(os.path.join(sys.argv[1], "*.onnx")))
    failures = 0
    for path in paths:
        try:
            problem = check(path)
        except Exception as error:  # A checker's message names the node.
            problem = str(error)
        if problem:
            failures += 1
            print(f"{path}: {problem}")
    if not paths:
        sys.exit(f"{sys.argv[1]} has no .onnx file")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
