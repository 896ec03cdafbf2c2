#!/usr/bin/env python3
"""Trains the network of `norma train` in Norma and in PyTorch and compares what comes out.

    training.py DATA                 losses and parameters of the first steps
    training.py DATA --accuracy      test accuracy after whole epochs, for several seeds
    training.py DATA --throughput    images a second of training and of evaluation, in turn
    training.py DATA --memory        the most memory of one training step

DATA is a folder of IDX files such as /usr/share/datasets/fashion-mnist. Needs PyTorch; build Norma
first: swift build -c release
"""
import argparse
import gzip
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import training_rows

ROOT = pathlib.Path(__file__).resolve().parent.parent
MEAN, STD = 0.2860, 0.3530


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    for name in ("accuracy", "throughput", "memory"):
        parser.add_argument("--" + name, action="store_true")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=100, help="of a throughput run")
    parser.add_argument("--rounds", type=int, default=3, help="of throughput")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--norma", default=str(ROOT / ".build/release/norma"))
    parser.add_argument("--step-in-this-process", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def idx(torch, folder, name):
    path = pathlib.Path(folder) / (name + ".gz")
    data = gzip.open(path).read() if path.exists() else path.with_suffix("").read_bytes()
    shape = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(data[3])]
    return torch.frombuffer(bytearray(data[4 + 4 * data[3]:]), dtype=torch.uint8).reshape(shape)


def images(torch, folder, part):
    x = idx(torch, folder, part + "-images-idx3-ubyte").float() / 255
    return (x.unsqueeze(1) - MEAN) / STD, idx(torch, folder, part + "-labels-idx1-ubyte").long()


def torch_run(torch, options, seed, steps=None, after_first=None, last=True):
    """The losses, images a second after ten steps, test accuracy and images a second of evaluation."""
    (x, y), (tx, ty) = (images(torch, options.data, part) for part in ("train", "t10k"))
    torch.manual_seed(seed)
    net = training_rows.residual_network(torch, options.width, last)
    layout = torch.channels_last if last else torch.contiguous_format
    batch = 128
    total = steps or options.epochs * (len(x) // batch)
    optimizer = torch.optim.SGD(
        net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=total)
    order = torch.Generator().manual_seed(seed)
    losses, start = [], None
    while len(losses) < total:
        permutation = torch.randperm(len(x), generator=order)
        for i in range(0, len(x) - batch + 1, batch):
            if len(losses) == 10:
                start = time.perf_counter()
            rows = permutation[i:i + batch]
            inputs = x[rows].contiguous(memory_format=layout)
            loss = torch.nn.functional.cross_entropy(net(inputs), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            if len(losses) == 1 and after_first:
                after_first({k: v.clone() for k, v in net.state_dict().items()})
            if len(losses) == total:
                break
    rate = (total - 10) * batch / (time.perf_counter() - start) if start else 0
    net.eval()
    start, hits = time.perf_counter(), 0
    with torch.no_grad():
        for i in range(0, len(tx), 500):
            part = tx[i:i + 500].contiguous(memory_format=layout)
            hits += (net(part).argmax(1) == ty[i:i + 500]).sum().item()
    return losses, rate, hits / len(tx), len(tx) / (time.perf_counter() - start)


def norma_run(options, seed, steps=None, out=None):
    """The same from `norma train`, which prints a line for every epoch and one at the end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            options.norma, "train", "--data", options.data, "--seed", str(seed), "--json",
            "--width", str(options.width), "--threads", str(options.threads),
            "--out", out or f"{folder}/run.safetensors"]
        command += ["--steps", str(steps)] if steps else ["--epochs", str(options.epochs)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines


def safetensors(torch, path):
    data = pathlib.Path(path).read_bytes()
    count = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + count])
    kinds = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "U8": torch.uint8}
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        part = bytearray(data[8 + count + first:8 + count + last])
        tensors[name] = torch.frombuffer(part, dtype=kinds[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def parity(torch, options):
    after = {}
    theirs, others = (
        torch_run(torch, options, 0, steps=5, last=last)[0] for last in (False, True))
    ours = norma_run(options, 0, steps=5)[-1]["firstLosses"][:5]
    print("losses; the last column is how far PyTorch's own two layouts are apart")
    print(f"{'step':<6}{'Norma':>12}{'PyTorch':>12}{'relative':>12}{'channels last':>16}")
    for step, (a, b, c) in enumerate(zip(ours, theirs, others), 1):
        print(f"{step:<6}{a:>12.6f}{b:>12.6f}{abs(a - b) / b:>12.1e}{abs(c - b) / b:>16.1e}")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/step.safetensors"
        torch_run(torch, options, 0, steps=1, after_first=after.update, last=False)
        norma_run(options, 0, steps=1, out=path)
        saved = safetensors(torch, path)
    gaps = {
        name: (saved["model." + name].double() - value.double()).abs().max().item()
        for name, value in after.items() if value.is_floating_point() and "running" not in name}
    worst = max(gaps, key=gaps.get)
    print(f"parameters after one step: largest difference {gaps[worst]:.1e} ({worst})")


def accuracy(torch, options):
    print(f"{'seed':<6}{'Norma':>10}{'PyTorch':>10}")
    rows = []
    for seed in options.seeds:
        ours = norma_run(options, seed)[-1]["testAccuracy"]
        theirs = torch_run(torch, options, seed)[2]
        rows.append((ours, theirs))
        print(f"{seed:<6}{ours:>10.4f}{theirs:>10.4f}", flush=True)
    ours, theirs = (statistics.mean(column) for column in zip(*rows))
    print(f"{'mean':<6}{ours:>10.4f}{theirs:>10.4f}  difference {100 * (ours - theirs):+.2f} points")


def throughput(torch, options):
    print(f"{'round':<7}{'train: Norma':>14}{'PyTorch':>10}{'evaluate: Norma':>18}{'PyTorch':>10}")
    rows = []
    for number in range(options.rounds):
        lines = norma_run(options, 0, steps=options.steps)
        epoch = next(line for line in lines if "testImagesPerSecond" in line)
        _, rate, _, test_rate = torch_run(torch, options, 0, steps=options.steps)
        rows.append((
            lines[-1]["imagesPerSecond"], rate, epoch["testImagesPerSecond"], test_rate))
        print("{:<7}{:>14.0f}{:>10.0f}{:>18.0f}{:>10.0f}".format(number + 1, *rows[-1]), flush=True)
    medians = [statistics.median(column) for column in zip(*rows)]
    print("{:<7}{:>14.0f}{:>10.0f}{:>18.0f}{:>10.0f}".format("median", *medians))
    print(f"ratio {medians[0] / medians[1]:.2f} in training, {medians[2] / medians[3]:.2f} in evaluation")


def resident():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def memory(options):
    """Peak resident memory of a process that runs a step of 128 images, less that of one that does
    not."""
    row = f"residual.step.{options.width}"

    def peak(command):
        before = resource_of(command[0])
        return resource_of(command[1]) - before

    ours = peak([
        [options.norma, "bench", "--quick", "--filter", "^sum$"],
        [options.norma, "bench", "--threads", str(options.threads), "--filter", f"^{row}$"]])
    done = subprocess.run(
        [sys.executable, __file__, options.data, "--step-in-this-process", "--width",
         str(options.width), "--threads", str(options.threads)],
        capture_output=True, text=True, check=True)
    print(f"peak memory of a training step: Norma {ours:.0f} MB, PyTorch {float(done.stdout):.0f} MB")


def resource_of(command):
    """The peak resident megabytes of a command."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, "
        "check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)")
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main():
    options = arguments()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    if options.memory:
        return memory(options)
    import torch
    torch.set_num_threads(options.threads)
    if options.step_in_this_process:
        before = resident()
        body, _ = training_rows.residual_step(torch, [128, 1, 28, 28], options.width)
        for _ in range(3):
            body()
        print(resident() - before)
        return None
    print(f"PyTorch {torch.__version__}, {options.threads} threads, width {options.width}")
    if options.accuracy:
        return accuracy(torch, options)
    if options.throughput:
        return throughput(torch, options)
    return parity(torch, options)


if __name__ == "__main__":
    main()
