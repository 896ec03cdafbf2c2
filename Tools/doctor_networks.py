"""Small networks on Fashion-MNIST: data, training, accuracy, and the files of a case. Needs torch.

Used by make-doctor-networks.py and make-generated-networks.py.
"""

import copy
import functools
import gzip
import json
import pathlib
import struct
import sys

import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A norma_capture.py on PYTHONPATH takes precedence.
sys.path.append(str(ROOT / "Sources/NormaCLI/Capture"))
# Such small networks are not faster with more threads, and much slower on a busy machine.
torch.set_num_threads(1)
from norma_capture import _Parts, capture  # noqa: E402

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
# Of the pixels of training, from 0 to 1.
MEAN, STD = 0.2860, 0.3530


def _idx(name):
    data = gzip.open(DATA / name).read()
    axes = data[3]
    shape = struct.unpack(">%dI" % axes, data[4:4 + 4 * axes])
    return torch.frombuffer(bytearray(data[4 + 4 * axes:]), dtype=torch.uint8).reshape(shape)


@functools.lru_cache(None)
def images(part):
    """("train" or "t10k"): pixels from 0 to 1 as [N, 1, 28, 28], and classes."""
    pixels = _idx("%s-images-idx3-ubyte.gz" % part).float().div_(255)[:, None]
    return pixels, _idx("%s-labels-idx1-ubyte.gz" % part).long()


def standardized(x):
    return (x - MEAN) / STD


class Net(nn.Sequential):
    """Modules by name: Net(conv1=nn.Conv2d(1, 16, 3), bn1=nn.BatchNorm2d(16))."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


def four_norms(width=16, norm2d=nn.BatchNorm2d, norm1d=nn.BatchNorm1d, dropout=0.0, **options):
    """Three convolutions and a dense layer, each with a norm, then ten classes."""
    w = width
    drop = {"drop": nn.Dropout(dropout)} if dropout else {}
    return Net(
        conv1=nn.Conv2d(1, w, 3, padding=1, bias=False), bn1=norm2d(w, **options), relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(w, 2 * w, 3, padding=1, bias=False), bn2=norm2d(2 * w, **options), relu2=nn.ReLU(),
        pool2=nn.MaxPool2d(2),
        conv3=nn.Conv2d(2 * w, 2 * w, 3, padding=1, bias=False), bn3=norm2d(2 * w, **options), relu3=nn.ReLU(),
        pool3=nn.AdaptiveAvgPool2d(2), flat=nn.Flatten(),
        fc1=nn.Linear(8 * w, 4 * w, bias=False), **drop, bn4=norm1d(4 * w, **options), relu4=nn.ReLU(),
        fc2=nn.Linear(4 * w, 10))


def train(net, steps=300, batch=64, lr=4e-3, seed=0, prepare=standardized, optimizer=None, each=None, settle=True):
    """Trains on images in place: see fit()."""
    x, labels = images("train")
    return fit(net, x, labels, steps, batch, lr, seed, prepare, optimizer, each, settle)


def fit(net, x, labels, steps, batch, lr, seed, prepare=lambda x: x, optimizer=None, each=None, settle=True):
    """Trains in place on shuffled batches; `each(step, net)` after every one. Unless `settle` is false, the rate goes to zero."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = optimizer or torch.optim.Adam(net.parameters(), lr=lr)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.01, 1 - step / steps) if settle else 1)
    net.train()
    for step in range(steps):
        some = torch.randint(0, len(x), (batch,), generator=generator)
        loss = nn.functional.cross_entropy(net(prepare(x[some])), labels[some])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        rate.step()
        if each:
            each(step, net)
    return net.eval()


def batch(part, count=256, seed=1, prepare=standardized, classes=None):
    """A shuffled batch and its labels."""
    x, labels = images(part)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    if classes is not None:
        order = order[torch.isin(labels[order], torch.tensor(classes))]
    some = order[:count]
    return prepare(x[some]), labels[some]


def norms(net):
    return [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


@torch.no_grad()
def accuracy(net, x, labels, with_batch=False):
    net = copy.deepcopy(net).eval()
    if with_batch:
        for m in norms(net):
            m.running_mean = m.running_var = None
    return round((net(x).argmax(1) == labels).float().mean().item(), 4)


@torch.no_grad()
def recalibrated(net, prepare=standardized, count=2000):
    """A copy with exact statistics of training data, layer after layer as the network runs."""
    net = copy.deepcopy(net).eval()
    for m in norms(net):
        m.reset_running_stats()
        m.momentum = None
        m.train()
    net(batch("train", count, seed=5, prepare=prepare)[0])
    return net.eval()


def save_state(net, folder):
    with _Parts(str(folder / "model.safetensors")) as parts:
        for key, value in net.state_dict().items():
            parts.add(key, value)
        parts.finish({})
    torch.save(net.state_dict(), folder / "model.pt")


def write_case(folder, net, truth, x=None, x_train=None, labels=None, facts=None, custom=(), prepare=standardized,
               repair_prepare=None, other=None):
    """capture.safetensors, train.safetensors, model.safetensors and .pt, truth.json; other.safetensors of a pair.

    `prepare` is how the network is used, `repair_prepare` how it was trained.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = repair_prepare or prepare
    if x is None:
        x, labels = batch("t10k", prepare=prepare)
    if x_train is None:
        x_train = batch("train", seed=2, prepare=trained)[0]
    capture(net, x, folder / "capture.safetensors", custom=custom, quiet=True, **(facts or {}))
    capture(net, x_train, folder / "train.safetensors", custom=custom, quiet=True,
            **{**(facts or {}), "data": "training", "shuffled": True})
    if other is not None:
        capture(other, x, folder / "other.safetensors", quiet=True)
    save_state(net, folder)
    probe = batch("t10k", 2000, seed=3, prepare=prepare)
    if "accuracy" not in truth:
        truth["accuracy"] = {
            "eval": accuracy(net, *probe), "batch": accuracy(net, *probe, with_batch=True),
            "recalibrated": accuracy(recalibrated(net, prepare=prepare), *probe)}
    if other is not None:
        truth["accuracy"]["other"] = accuracy(other, *probe)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
    return truth
