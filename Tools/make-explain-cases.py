"""Writes cases for `conformance --explain`: generated layers with one known mistake, two, or none.

    python Tools/make-explain-cases.py OUT [--count 2000] [--seed 0]

Needs torch, numpy and safetensors. The cases have the same form as the collected ones: x.npy is the input of
the layer in layer.json, expected.npy is a user's result, truth.json says why they differ.
A mistake without effect in the data is not required, and causes that the data cannot distinguish are accepted.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from explain_cases.make import generate  # noqa: E402

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    generate(options.out, options.count, options.seed)
