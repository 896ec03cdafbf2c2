#!/usr/bin/env python3
"""Checks norma_capture.py: that it leaves networks unchanged and supports the ways in which they are called, that
repairs load and help, and what it costs.

    swift build -c release --product norma
    python Tools/check-capture.py [--norma PROGRAM] [--threads 2]             # a minute
    python Tools/check-capture.py --cost resnet50 [--images 64]               # memory and time, images of 224: minutes

Prints a line for each check. Needs only torch. A capture may take ten seconds. On a busy machine, its processor time
divided by the number of threads counts instead, and the line says so.
"""

import argparse
import collections
import copy
import dataclasses
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import torch
from torch import nn

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "Sources/NormaCLI/Capture"))
from norma_capture import _Parts, capture  # noqa: E402
import known_networks as known  # noqa: E402
from capture_cost import LARGE, check_cost, cost_of  # noqa: E402
from odd_norms import RootMeanSquareNorm  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_SECONDS = 10
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Small(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv, self.bn1, self.gn = nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.GroupNorm(2, width)
        self.fc, self.bn2, self.head = nn.Linear(width, 16), nn.BatchNorm1d(16), nn.Linear(16, 4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x = self.gn(self.bn1(self.conv(x)).relu())
        return self.head(self.drop(self.bn2(self.fc(x.mean((2, 3)))).relu()))


def trained(net, shape=(3, 8, 8), steps=100):
    """Running statistics that fit."""
    net.train()
    with torch.no_grad():
        for _ in range(steps):
            net(torch.randn(64, *shape))
    return net.eval()


def image_batch(count=64):
    return torch.randn(count, 3, 8, 8)


def about(path):
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    return json.loads(header["__metadata__"]["capture"]), header


def layer_names(path):
    return [layer["name"] for layer in about(path)[0]["layers"]]


class Desk:
    """The folder for captures, and the program that reads them."""

    def __init__(self, norma, folder):
        self.norma, self.path, self.folder = norma, folder / "capture.safetensors", folder

    def capture(self, *arguments, **options):
        capture(*arguments[:2], self.path, quiet=True, **options)
        return about(self.path)[0]

    def doctor(self, *arguments):
        run = subprocess.run([self.norma, "doctor", str(self.path), *map(str, arguments), "--json"], capture_output=True,
                             text=True)
        assert run.returncode in (0, 1), run.stderr
        return json.loads(run.stdout), run.returncode


def snapshot(net):
    """Everything that a user can observe of a network."""
    tensors = {k: (v.clone(), id(v), v.requires_grad) for k, v in [*net.named_parameters(), *net.named_buffers()]}
    grads = {k: None if p.grad is None else p.grad.clone() for k, p in net.named_parameters()}
    modules = {k: (m.training, len(m._forward_hooks), len(m._forward_pre_hooks), sorted(m.__dict__), getattr(m, "eps", 0),
                   getattr(m, "momentum", 0)) for k, m in net.named_modules()}
    return tensors, grads, modules, torch.get_rng_state(), random.getstate()


def assert_same(a, b):
    for key in a[0]:
        assert torch.equal(a[0][key][0], b[0][key][0]) and a[0][key][1:] == b[0][key][1:], key
    assert all((g is None) == (b[1][k] is None) and (g is None or torch.equal(g, b[1][k])) for k, g in a[1].items())
    assert a[2] == b[2], "modes, hooks or options"
    assert torch.equal(a[3], b[3]) and a[4] == b[4], "random generators"


@check
def leaves_everything_untouched(desk):
    """Parameters, gradients, buffers, counters, modes, hooks and random generators, in training as in evaluation."""
    for mode in ("train", "eval", "mixed"):
        net = trained(Small())
        net(image_batch()).sum().backward()
        net.train(mode == "train")
        if mode == "mixed":
            net.bn1.train()
            net.conv.weight.requires_grad_(False)
        net.fc.register_forward_hook(lambda *_: None)
        x = image_batch()
        before, calls = snapshot(net), []
        handle = net.register_forward_hook(lambda m, *_: calls.append(any(p.training for p in m.modules())))
        hooks = snapshot(net)[2]
        desk.capture(net, x)
        assert hooks == snapshot(net)[2], "hooks"
        handle.remove()
        assert_same(before, snapshot(net))
        assert calls and not any(calls), "the network ran in training mode"


@check
def leaves_everything_untouched_when_the_network_fails(desk):
    net, x = trained(Small()).train(), torch.randn(4, 5, 8, 8)
    before = snapshot(net)
    try:
        desk.capture(net, x)
        raise AssertionError("no error")
    except RuntimeError:
        pass
    assert_same(before, snapshot(net))


@check
def works_with_autocast(desk):
    net = trained(Small())
    with torch.autocast("cpu", torch.bfloat16):
        found = desk.capture(net, image_batch())
    assert found["autocast"] == "bfloat16", found["autocast"]
    report, status = desk.doctor()
    assert status == 0, report["diagnosis"]["findings"]


@check
def keeps_the_prefix_of_data_parallel(desk):
    net = nn.DataParallel(trained(Small()))
    desk.capture(net, image_batch())
    assert layer_names(desk.path) == ["module.bn1", "module.gn", "module.bn2"], layer_names(desk.path)
    names = {k.split("/")[1] + "." + k.split("/")[2] for k in about(desk.path)[1] if k.endswith(("/running_mean", "/weight"))}
    assert names <= set(net.state_dict()), names


@check
def shared_layers_are_one(desk):
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn = nn.BatchNorm2d(3)
            self.again = self.bn

        def forward(self, x):
            return self.again(self.bn(x) * 2)
    net = trained(Shared())
    found = desk.capture(net, image_batch())
    (layer,) = found["layers"]
    assert layer["calls"] == 2 and layer["shared_with"] == ["again"], layer
    desk.doctor("--repair", desk.folder / "fixed.safetensors")
    assert {"bn.running_mean", "again.running_mean"} <= set(about_tensors(desk.folder / "fixed.safetensors"))


def about_tensors(path):
    with open(path, "rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))


@check
def custom_classes_are_named(desk):
    for custom in (("RootMeanSquareNorm",), (RootMeanSquareNorm,)):
        net = nn.Sequential(nn.Linear(8, 16), RootMeanSquareNorm(16), nn.Linear(16, 4))
        found = desk.capture(net, torch.randn(32, 8), custom=custom)
        assert [layer["kind"] for layer in found["layers"]] == ["custom"], found
        report, status = desk.doctor()
        (formula,) = report["diagnosis"]["formulas"]
        assert status == 0 and formula["kind"] == "RMSNorm" and not formula["isOff"], formula


@check
def every_kind_of_call_and_result(desk):
    Result = collections.namedtuple("Result", "loss logits")

    @dataclasses.dataclass
    class Output:
        logits: torch.Tensor
        hidden: tuple

    class Wrapped(nn.Module):
        def __init__(self, make):
            super().__init__()
            self.net, self.make = trained(Small()), make

        def forward(self, x, mask=None, scale=1.0):
            return self.make(self.net(x if mask is None else x * mask) * scale)
    makers = (lambda y: (y, y), lambda y: {"logits": y}, lambda y: Result(y.mean(), y), lambda y: Output(y, (y, y)),
              lambda y: [{"a": (y, None)}])
    x, mask = image_batch(), torch.ones(64, 1, 8, 8)
    calls = [(x, {}), ((x, mask), {}), ({"x": x, "scale": 2.0}, {}), ([x, mask, 2.0], {}),
             (x, {"call": lambda model, x: model(x, scale=0.5)})]
    for maker in makers:
        for given, options in calls:
            desk.capture(Wrapped(maker), given, **options)
            assert "result" in about_tensors(desk.path)
            assert layer_names(desk.path) == ["net.bn1", "net.gn", "net.bn2"]


@check
def repairs_load_and_help(desk):
    """Checks that the lines printed by doctor load the file, and that the gap is gone."""
    net = trained(Small())
    for m in (net.bn1, net.bn2):
        m.reset_running_stats()
    x = image_batch(256)
    right = copy.deepcopy(net)
    for m in (right.bn1, right.bn2):
        m.momentum = None
        m.train()
    right(x)
    desk.capture(net, x)
    fixed = desk.folder / "fixed.safetensors"
    report, status = desk.doctor("--repair", fixed)
    assert status == 1 and report["diagnosis"]["findings"][0]["defect"] == "never-trained-statistics", report
    lines, model = report["repair"]["pytorch"], net
    try:
        exec("\n".join(lines), {"model": model})
        how = "with the lines that doctor prints"
    except ImportError:
        model.load_state_dict(read(fixed), strict=False)
        how = "without the package safetensors"
    for mine, exact in ((net.bn1, right.bn1), (net.bn2, right.bn2)):
        assert torch.allclose(mine.running_mean, exact.running_mean, atol=1e-5), (mine.running_mean, exact.running_mean)
        assert torch.allclose(mine.running_var, exact.running_var, rtol=1e-4)
    desk.capture(model, x)
    report, status = desk.doctor()
    assert status == 0 and max(layer["gap"] for layer in report["diagnosis"]["layers"]) < 1e-3, report
    return how


def read(path):
    """Tensors of a safetensors file, read with torch only."""
    header = about_tensors(path)
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    kinds = {name: kind for kind, name in _Parts.TYPES.items()}
    return {k: torch.frombuffer(bytearray(data[start + v["data_offsets"][0]:start + v["data_offsets"][1]]),
                                dtype=kinds[v["dtype"]]).reshape(v["shape"]) for k, v in header.items() if k != "__metadata__"}


def timed(desk, make, images=16, size=224):
    torch.manual_seed(0)
    net, x = make().eval(), torch.randn(images, 3, size, size)
    # Other work on the machine slows it down: the best of three tries counts.
    for _ in range(3):
        start, busy = time.time(), time.process_time()
        capture(net, x, desk.path, quiet=True)
        captured, busy = time.time() - start, time.process_time() - busy
        counts_wall = captured < MOST_SECONDS or os.getloadavg()[0] < os.cpu_count() + 1
        judged = captured if counts_wall else busy / torch.get_num_threads()
        if judged < MOST_SECONDS:
            break
    start = time.time()
    report, status = desk.doctor()
    diagnosed = time.time() - start
    norms = len(report["diagnosis"]["layers"]) + len(report["diagnosis"]["formulas"])
    assert status == (1 if report["diagnosis"]["layers"] else 0), "running statistics at their first values have to be found"
    assert judged < MOST_SECONDS and diagnosed < MOST_SECONDS, "%.1f s and %.1f s" % (judged, diagnosed)
    return "%d images: captured in %.1f s%s, diagnosed in %.1f s, %.0f MB" % (
        images, judged, "" if counts_wall else " of processor time (%.1f s beside other work)" % captured, diagnosed,
        desk.path.stat().st_size / 1e6)


@check
def resnet_18_is_quick(desk):
    return timed(desk, known.resnet18)


@check
def mobilenet_v2_is_quick(desk):
    return timed(desk, known.MobileNetV2)


@check
def transformer_is_quick(desk):
    return timed(desk, known.VisionTransformer)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--norma", default=str(ROOT / ".build/release/norma"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cost", choices=LARGE, help="measure the memory and the time of a capture instead")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--cost-of", choices=["forward", "capture"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cost_of:
        return cost_of(arguments.cost_of, arguments.cost, arguments.images, arguments.threads)
    if arguments.cost:
        return check_cost(__file__, arguments.cost, arguments.images, arguments.threads)
    torch.set_num_threads(arguments.threads)
    failed = 0
    for function in CHECKS:
        torch.manual_seed(0)
        with tempfile.TemporaryDirectory() as folder:
            try:
                words = function(Desk(arguments.norma, pathlib.Path(folder)))
                print("ok      %s%s" % (function.__name__.replace("_", " "), ": " + words if words else ""), flush=True)
            except AssertionError as error:
                failed += 1
                print("FAILED  %s: %s" % (function.__name__.replace("_", " "), error), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
