"""Measures the cost of capturing a large network. Used by check-capture.py. Needs torch."""

import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import torch
from torch import nn

import known_networks as known
from norma_capture import capture

# The memory that a capture may need in addition to the network's, and the relative time of a pass.
MOST_MEGABYTES, MOST_FORWARDS = 200, 3
LARGE = {"resnet18": known.resnet18, "resnet50": known.resnet50, "mobilenet": known.MobileNetV2,
         "transformer": known.VisionTransformer}


def cost_of(what, name, images, threads):
    """Peak memory, time and passes, measured in a separate process."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x = torch.randn(images, 3, 224, 224)
    net = fitted(LARGE[name](), x)
    with torch.no_grad():
        start, busy = time.time(), time.process_time()
        if what == "forward":
            net(x)
            passes = 1
        else:
            with tempfile.TemporaryDirectory() as folder:
                passes = run_capture(net, x, folder)
    print(json.dumps({"seconds": time.time() - start, "busy": time.process_time() - busy, "passes": passes,
                      "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def fitted(net, x):
    """Sets the statistics to those of this batch, so that the passes are those of a healthy network."""
    for m in net.train().modules():
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = None
    with torch.no_grad():
        for some in x.split(32):
            net(some)
    return net.eval()


def run_capture(net, x, folder):
    passes = 0

    def count(*_):
        nonlocal passes
        passes += 1
    handle = net.register_forward_hook(count)
    capture(net, x, pathlib.Path(folder) / "capture.safetensors", quiet=True)
    handle.remove()
    return passes


def check_cost(program, name, images, threads):
    figures = {}
    for what in ("forward", "capture"):
        run = subprocess.run([sys.executable, program, "--cost", name, "--cost-of", what, "--images", str(images),
                              "--threads", str(threads)], capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr)
        figures[what] = json.loads(run.stdout)
        print("%-8s of %s, %d images of 224: %.1f s (processor time %.1f s), %d passes, peak %.0f MB" % (
            what, name, images, *(figures[what][k] for k in ("seconds", "busy", "passes", "megabytes"))), flush=True)
    forward, captured = figures["forward"], figures["capture"]
    more = captured["megabytes"] - forward["megabytes"]
    times, busy = (captured[k] / captured["passes"] / forward[k] for k in ("seconds", "busy"))
    print("%.0f MB more than the network itself (at most %d), %.2f forward times a pass (at most %d; %.2f of processor time)" % (
        more, MOST_MEGABYTES, times, MOST_FORWARDS, busy))
    sys.exit(0 if more <= MOST_MEGABYTES and times <= MOST_FORWARDS else 1)
