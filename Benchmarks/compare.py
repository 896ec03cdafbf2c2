#!/usr/bin/env python3
"""Runs the rows of `norma bench` in PyTorch, too, and prints both side by side.

Needs PyTorch only: python3 -m venv venv && venv/bin/pip install torch \\
    --index-url https://download.pytorch.org/whl/cpu
Build Norma first: swift build -c release
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shlex
import statistics
import subprocess
import sys
import time

import catalogue_rows
import generation_rows
import network_rows
import shape_rows
import training_rows

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The same rules as in BenchTimer.swift.
LEAST_RUNS, SHORTEST = 9, 50e-6
least_seconds = 0.3


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--norma", default=str(ROOT / ".build/release/norma"), metavar="PATH",
        help="the norma command (default: .build/release/norma)")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="threads of both (default: those of norma)")
    parser.add_argument("--filter", metavar="REGEX", help="only rows that contain this")
    parser.add_argument(
        "--grid", action="store_true", help="also the sizes of PyTorch's own batch norm benchmark")
    parser.add_argument(
        "--catalogue", action="store_true",
        help="also every operation of the tensor at four sizes (or: a filter that contains it)")
    parser.add_argument(
        "--rounds", type=int, default=1, metavar="N",
        help="run every row N times in both, in turn, and take the medians (default: 1)")
    parser.add_argument(
        "--seconds", type=float, default=0.3, metavar="S",
        help="run every row until it took this long (default: 0.3)")
    parser.add_argument("--json", metavar="FILE", help="also write the results to this file")
    parser.add_argument("--quick", action="store_true", help="tiny tensors: only check that rows run")
    options = parser.parse_args()
    if options.rounds < 1 or (options.threads is not None and options.threads < 1):
        parser.error("--rounds and --threads must be at least 1")
    return options


# MARK: Norma


def norma(options, *extra):
    """What `norma bench` prints, with the options that every call shares."""
    command = [options.norma, "bench", "--seconds", str(options.seconds), *extra]
    if options.grid:
        command.append("--grid")
    if options.catalogue:
        command.append("--catalogue")
    if options.quick:
        command.append("--quick")
    if options.threads:
        command += ["--threads", str(options.threads)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"{options.norma} does not run: {error}\nBuild it: swift build -c release")
    if done.returncode:
        sys.exit(f"{shlex.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def norma_row(options, name):
    """One row of `norma bench`, and what it says of the machine."""
    exactly = "^" + name.replace(".", "[.]") + "$"
    report = json.loads(norma(options, "--json", "--filter", exactly))
    return report, report["rows"][0]


# MARK: PyTorch


def timed(body, times):
    start = time.perf_counter()
    for _ in range(times):
        body()
    return (time.perf_counter() - start) / times


def measure(body, source, operations=1):
    """Milliseconds of the body and of a copy of `source`, run in turn: medians after warm-up."""
    target = source.clone()
    copy = lambda: target.copy_(source)
    repeats = []
    for function in (body, copy):
        function()
        took = timed(function, 1)
        repeats.append(1 if took >= SHORTEST else int(SHORTEST / max(took, 1e-8)) + 1)
    runs, copies = [], []
    while len(runs) < LEAST_RUNS or sum(runs) * repeats[0] < least_seconds:
        runs.append(timed(body, repeats[0]))
        copies.append(timed(copy, repeats[1]))
    return statistics.median(runs) * 1e3 / operations, statistics.median(copies) * 1e3


def batch_norm(torch, shape, channels_last=False, training=True):
    x = torch.randn(shape)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    layer = torch.nn.BatchNorm2d(shape[1]).train(training)
    return lambda: layer(x), x


def experiment(torch, shape):
    x = torch.rand(shape)
    layer = torch.nn.BatchNorm2d(shape[1])

    def body():
        mean = x.mean((0, 2, 3), keepdim=True)
        std = x.std((0, 2, 3), keepdim=True)
        y = (x - mean) / (std + 1e-5)
        return (layer(y) - y).abs().max()

    return body, x


def standardize(torch, shape):
    x = torch.randn(shape)
    mean, std = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    return lambda: (x - mean) / (std + 1e-5), x


def copy(torch, shape):
    x = torch.randn(shape)
    y = x.clone()
    return lambda: y.copy_(x), x


def log(torch, shape):
    x = torch.rand(shape)
    return lambda: x.log(), x


def chain(torch, shape, count):
    x = torch.randn(shape)

    def body():
        y = x
        for _ in range(count // 2):
            y = y * 0.5
            y = y + 0.25

    return body, x


def matmul(torch, shape):
    a, b = torch.randn(shape), torch.randn(shape)
    return lambda: a @ b, a


def cdist(torch, shape):
    a, b = torch.randn(shape), torch.randn(shape)
    return lambda: torch.cdist(a, b), a


def on(operation):
    """A row whose operation takes one tensor of normal numbers."""
    def make(torch, shape):
        x = torch.randn(shape)
        return lambda: operation(x), x
    return make


def drawing(name):
    return lambda torch, shape: (lambda: getattr(torch, name)(shape), torch.randn(shape))


ROWS = {
    "copy": copy,
    "sum": on(lambda x: x.sum()),
    "mean.channels": on(lambda x: x.mean((0, 2, 3))),
    "variance.channels": on(lambda x: x.var((0, 2, 3))),
    "variance.images": on(lambda x: x.var(0)),
    "variance.last": on(lambda x: x.var(-1)),
    "variance.first": on(lambda x: x.var(0)),
    "standardize": standardize,
    "batchnorm.evaluation": lambda torch, shape: batch_norm(torch, shape, training=False),
    "experiment": experiment,
    "rand": drawing("rand"),
    "randn": drawing("randn"),
    "exp": on(lambda x: x.exp()),
    "log": log,
    "tanh": on(lambda x: x.tanh()),
    "erf": on(lambda x: x.erf()),
    "softmax": on(lambda x: x.softmax(-1)),
    "operation.64": on(lambda x: x * 0.5),
}


def torch_row(torch, name, shape, quick):
    """PyTorch's milliseconds, those of a copy, and which layout was the better one; None for a row
    that has no twin here."""
    torch.manual_seed(0)
    trains = training_rows.training_row(torch, name, shape)
    if trains:
        return (*measure(*trains), None)
    network = network_rows.network_row(torch, name, shape)
    if network:
        return (*measure(*network), None)
    generated = generation_rows.generation_row(torch, name, shape)
    if generated:
        return (*measure(*generated), None)
    shaped = shape_rows.shape_row(torch, name, shape)
    if shaped:
        return (*measure(*shaped), None)
    with torch.no_grad():
        catalogue = catalogue_rows.catalogue_row(torch, name, shape)
        if catalogue:
            return (*measure(*catalogue), None)
        if name.startswith("batchnorm.grid."):
            layouts = {"contiguous": False, "channels_last": True}
            results = [
                (*measure(*batch_norm(torch, shape, channels_last)), layout)
                for layout, channels_last in layouts.items()]
            return min(results)
        if name.startswith("batchnorm.training"):
            return (*measure(*batch_norm(torch, shape, ".channels-last" in name)), None)
        if name == "chain.64":
            count = 50 if quick else 1000
            return (*measure(*chain(torch, shape, count), operations=count), None)
        if name.startswith("matmul."):
            return (*measure(*matmul(torch, shape)), None)
        if name.startswith("cdist."):
            return (*measure(*cdist(torch, shape)), None)
        if name in ROWS:
            return (*measure(*ROWS[name](torch, shape)), None)
    return None


# MARK: Report


def processor():
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def norma_version(options):
    """The commit that the command was probably built from."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"],
        capture_output=True, text=True)
    return done.stdout.strip() or "unknown version"


def significant(value):
    """Four digits without an exponent."""
    if value == 0:
        return "0"
    decimals = 3
    while abs(value) >= 10 ** (4 - decimals) and decimals > 0:
        decimals -= 1
    while abs(value) * 10 ** (decimals - 3) < 1 and decimals < 6:
        decimals += 1
    return f"{value:.{decimals}f}"


def line(cells, width):
    return f"{cells[0]:<{width}}" + "".join(
        f"{cell:>{size}}" for cell, size in zip(cells[1:], (10, 12, 8, 14, 16)))


def main():
    global least_seconds
    options = arguments()
    least_seconds = options.seconds
    chosen = ["--filter", options.filter] if options.filter else []
    names = norma(options, "--list", *chosen).split()
    if not options.threads:
        sample = json.loads(norma(options, "--json", "--quick", "--filter", "^sum$"))
        options.threads = sample["threads"]
    # PyTorch's libraries read it when they are loaded; so does the norma command.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch
    torch.set_num_threads(options.threads)

    print(f"{processor()}, {platform.platform()}, threads {options.threads}")
    print(f"Norma {norma_version(options)}; PyTorch {torch.__version__}; "
          f"Python {platform.python_version()}")
    print("command:", shlex.join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]), "\n")

    width = max(map(len, names)) + 2
    titles = ("row", "Norma ms", "PyTorch ms", "ratio", "Norma copies", "PyTorch copies")
    print(line(titles, width))
    rows, report = [], {}
    for name in names:
        if name.startswith("batchnorm.grid.") and name.endswith(".channels-last"):
            continue  # Beside the row without the ending: the better layout counts, in both.
        ours, theirs = [], []
        for _ in range(options.rounds):
            report, row = norma_row(options, name)
            if f"{name}.channels-last" in names and name.startswith("batchnorm.grid."):
                other = norma_row(options, f"{name}.channels-last")[1]
                row = min(row, other, key=lambda each: each["ms"])
            ours.append(row)
            result = torch_row(torch, name, row["shape"], options.quick)
            if result is None:
                break
            theirs.append(result)
        if not theirs:
            print(f"{name:<{width}}has no twin in {pathlib.Path(__file__).name}")
            continue
        middle = statistics.median
        entry = {
            "name": name, "shape": ours[0]["shape"], "dtype": ours[0]["dtype"],
            "norma_ms": middle(row["ms"] for row in ours),
            "norma_copies": middle(row["copies"] for row in ours),
            "torch_ms": middle(row[0] for row in theirs),
            "torch_copies": middle(row[0] / row[1] for row in theirs)}
        if theirs[0][2]:
            entry["torch_layout"] = statistics.mode(row[2] for row in theirs)
        entry["ratio"] = entry["torch_ms"] / entry["norma_ms"]
        rows.append(entry)
        print(line((
            name, significant(entry["norma_ms"]), significant(entry["torch_ms"]),
            f"{entry['ratio']:.2f}", f"{entry['norma_copies']:.2f}",
            f"{entry['torch_copies']:.2f}"), width), flush=True)
        for peer, body, source in network_rows.peers(torch, name, entry["shape"], options.threads):
            times = [measure(body, source)[0] for _ in range(options.rounds)]
            entry.setdefault("peers_ms", {})[peer] = middle(times)
            print(line((
                f"  {peer}", significant(entry["norma_ms"]), significant(middle(times)),
                f"{middle(times) / entry['norma_ms']:.2f}", "", ""), width), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({
            "machine": report.get("machine"), "threads": options.threads,
            "build": report.get("build"), "norma": norma_version(options),
            "torch": torch.__version__, "python": platform.python_version(),
            "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
