#!/usr/bin/env python3
"""Makes small networks of varied architecture, healthy ones and ones with a known defect, as doctor cases.

    python Tools/make-generated-networks.py OUT [--count 500] [--seed 1] [--first 0]
    .build/release/conformance --doctor OUT

Every third network is healthy, the others cycle through DEFECTS. Width, depth, activation, kind of norm, batch
size, epsilon, momentum, learning rate, data and the user's facts are drawn from the seed. Half of the networks
learn Fashion-MNIST at 14 x 14, half tables of clusters. OUT/<number>-<condition>/ has capture.safetensors, truth.json,
and train.safetensors if training data decide. About a second per network. Needs torch.
"""

import argparse
import pathlib

from generated_networks.make import generate

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first network")
    arguments = parser.parse_args()
    generate(arguments.out, arguments.count, arguments.seed, arguments.first)
