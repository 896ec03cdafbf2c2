#!/usr/bin/env python3
"""Trains the same batches in 1, 2, 3 and 4 processes of this machine, and compares; exits with 1 where
the numbers are too far apart.

    compare-ranks.py NORMA DATA [--steps N] [--width N] [--lr X]

NORMA is a build with the trait MPI, DATA a folder with the four MNIST files. Compared are the first 20
losses and the running statistics with those of one process, two runs with as many processes bit for
bit. Then a run of two processes is stopped in the middle of an epoch, and continued in three and in one:
step, learning rate and order of the data are those of the run that was not stopped, so its next losses
are, too, within 1e-5.

Sums run in another order in every number of processes, and training amplifies the difference: a
deep network with batch norms turns a relative change of 1e-6 of its weights into one of 0.1 of its
gradients within four steps at the default learning rate. One process with two threads instead of one
differs as much: by 1.1e-4 in the twentieth loss with --lr 0.001. So the bounds, 1e-5 and 1e-6, hold
for the first steps; a fault shows in the first loss or as a jump. `--steps 4 --lr 0.001` is a quick
check.
"""

import argparse
import gzip
import json
import os
import pathlib
import re
import signal
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


def write_part(data, folder, count):
    """The first images and labels of the four files of `data`, unpacked, in `folder`."""
    for part in ("train", "t10k"):
        for kind, size, header in (("images-idx3", 784, 16), ("labels-idx1", 1, 8)):
            path = data / f"{part}-{kind}-ubyte"
            opened = path.open("rb") if path.exists() else gzip.open(f"{path}.gz")
            with opened as file:
                start, body = file.read(header), file.read(size * count)
            (folder / path.name).write_bytes(
                start[:4] + struct.pack(">I", count) + start[8:] + body)


class Runs:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder

    def command(self, count, out, data, *arguments):
        command = [str(self.options.norma), "train", "--data", str(data), "--threads", "1", "--out",
                   str(out), *arguments]
        if count > 1:
            root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
            command = ["mpirun", *root, "--oversubscribe", "--bind-to", "none", "-n", str(count),
                       *command, "--distributed", "--timeout", "120"]
        return command

    def __call__(self, count, name, *arguments, data=None):
        """The JSON summary of a run, and its checkpoint."""
        out = self.folder / f"{name}.safetensors"
        command = self.command(count, out, data or self.options.data, "--json", *arguments)
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            sys.exit(f"{' '.join(command)}\nended with {result.returncode}\n{result.stderr}")
        return json.loads(result.stdout.splitlines()[-1]), out

    def stopped(self, count, name, last, data, *arguments):
        """The checkpoint of a run that a signal to one of its processes stops after step `last` or
        soon after it, and the step."""
        out = self.folder / f"{name}.safetensors"
        job = subprocess.Popen(self.command(count, out, data, *arguments), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in job.stdout:
            if re.match(rf"epoch 1/\d+ {last}/", line):
                children = pathlib.Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text()
                os.kill(int(children.split()[-1]), signal.SIGTERM)
                break
        _, errors = job.communicate()
        found = re.search(r"stopped after step (\d+)", errors)
        if not found:
            sys.exit(f"the signal did not stop the run:\n{errors}")
        return out, int(found[1])


def compare_numbers(run, options):
    """Whether processes train as one does."""
    arguments = ["--batch", "120", "--width", str(options.width), "--steps", str(options.steps),
                 "--lr", str(options.lr)]
    one, file = run(1, "one", *arguments)
    wanted = tensors(file)
    failures = 0
    for count in (2, 3, 4):
        summary, file = run(count, f"n{count}", *arguments)
        again, other = run(count, f"n{count}-again", *arguments)
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
    return failures


def compare_continued(run, options, folder):
    """Whether a run of two processes continues in another number of them: two epochs of ten steps."""
    data = folder / "part"
    data.mkdir()
    write_part(options.data, data, 1200)
    arguments = ["--batch", "120", "--width", str(options.width), "--epochs", "2", "--lr", "0.001"]
    whole, _ = run(2, "whole", *arguments, data=data)
    saved, step = run.stopped(2, "stopped", 4, data, *arguments)
    failures = 0
    for count in (1, 2, 3):
        summary, _ = run(count, f"continued-{count}", "--resume", str(saved), data=data)
        losses, wanted = summary["firstLosses"], whole["firstLosses"][step:]
        apart = [abs(a - b) / abs(b) for a, b in zip(losses, wanted)]
        same = max(apart) == 0 if count == 2 else max(apart[:4]) < 1e-5
        failures += not (same and len(losses) == len(wanted))
        print(f"2 processes, stopped after step {step} of 20, continued in {count}: the next 4 "
              f"losses differ by {max(apart[:4]):.1e} from those of the run that was not stopped, all "
              f"{len(apart)} by {max(apart):.1e}", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("norma", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("data", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--lr", type=float, default=0.1, help="the largest learning rate")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="norma-ranks-") as name:
        folder = pathlib.Path(name)
        run = Runs(options, folder)
        failures = compare_numbers(run, options) + compare_continued(run, options, folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
