#!/usr/bin/env python3
"""Trains the same batches in 1, 2, 3 and 4 processes of this machine, and compares; exits with 1 where
the numbers are too far apart.

    compare-ranks.py NORMA DATA [--steps N] [--width N] [--lr X]

NORMA is a build with the trait MPI, DATA a folder with the four MNIST files. Compared are the first 20
losses and the running statistics with those of one process, two runs with as many processes bit for
bit.

Sums run in another order in every number of processes, and training amplifies the difference: a
deep network with batch norms turns a relative change of 1e-6 of its weights into one of 0.1 of its
gradients within four steps at the default learning rate. So the bounds, 1e-5 and 1e-6, hold for the
first steps; a fault shows in the first loss or as a jump. `--steps 4 --lr 0.001` is a quick check.
"""

import argparse
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile


def tensors(path):
    """The tensors of a checkpoint's model: bytes by name."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    return {
        name: (entry["dtype"], body[entry["data_offsets"][0] : entry["data_offsets"][1]])
        for name, entry in header.items()
        if name.startswith("model.")
    }


def floats(entry):
    return struct.unpack(f"<{len(entry[1]) // 4}f", entry[1])


def distance(a, b):
    """The largest difference of corresponding numbers, relative to the largest of them."""
    scale = max(max(map(abs, b)), 1e-30)
    return max(abs(x - y) for x, y in zip(a, b)) / scale


class Runs:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder

    def __call__(self, count, name, steps=None, resume=None):
        """The JSON summary of a run, and its checkpoint."""
        out = self.folder / f"{name}.safetensors"
        command = [str(self.options.norma), "train", "--json", "--data", str(self.options.data),
                   "--threads", "1", "--out", str(out)]
        if resume:
            command += ["--resume", str(resume)]
        else:
            command += ["--batch", "120", "--width", str(self.options.width), "--steps",
                        str(steps or self.options.steps), "--lr", str(self.options.lr)]
        if count > 1:
            root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
            command = ["mpirun", *root, "--oversubscribe", "--bind-to", "none", "-n", str(count),
                       *command, "--distributed", "--timeout", "120"]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            sys.exit(f"{' '.join(command)}\nended with {result.returncode}\n{result.stderr}")
        return json.loads(result.stdout.splitlines()[-1]), out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("norma", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("data", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--lr", type=float, default=0.1, help="the largest learning rate")
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="norma-ranks-") as name:
        run = Runs(options, pathlib.Path(name))
        one, file = run(1, "one")
        wanted = tensors(file)
        for count in (2, 3, 4):
            summary, file = run(count, f"n{count}")
            again, other = run(count, f"n{count}-again")
            found = tensors(file)
            losses = max(abs(a - b) / abs(b)
                         for a, b in zip(summary["firstLosses"], one["firstLosses"]))
            statistics = max(distance(floats(found[key]), floats(value))
                             for key, value in wanted.items() if ".running_" in key)
            same = summary["firstLosses"] == again["firstLosses"] and found == tensors(other)
            right = losses < 1e-5 and statistics < 1e-6 and same
            failures += not right
            print(f"{count} processes: the first {len(summary['firstLosses'])} losses differ by "
                  f"{losses:.1e}, running statistics by {statistics:.1e}, two runs are "
                  f"{'equal' if same else 'different'} bit for bit, "
                  f"{summary['imagesPerSecond']:.0f} images/s", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
