#!/usr/bin/env python3
"""Makes small networks of varied architecture, healthy ones and ones with a known defect, as doctor cases.

    python Tools/make-generated-networks.py OUT [--count 500] [--seed 1] [--from 0]
    .build/release/conformance --doctor OUT

Every third network is healthy, the others take turns through DEFECTS. Width, depth, activation, kind of norm, batch
size, epsilon, momentum, learning rate, data and what the user tells are drawn from the seed. Half of the networks
learn Fashion-MNIST at 14 x 14, half tables of clusters. OUT/<number>-<condition>/ has capture.safetensors, truth.json,
and train.safetensors where data of training decide. About a second for a network. Needs torch.
"""

import argparse
import copy
import functools
import json
import pathlib
import random
import time

import torch
from torch import nn

from doctor_networks import Net, fit, images, norms, standardized
from norma_capture import capture
from odd_norms import ODD_NORMS, RootMeanSquareNorm, replaced

CLASSES = 10


# ---- Data -------------------------------------------------------------------------------------------------------

@functools.lru_cache(None)
def small_images(part):
    x, labels = images(part)
    return standardized(nn.functional.avg_pool2d(x, 2)), labels


@functools.lru_cache(None)
def table(features, seed):
    """Clusters of correlated features, each feature with a scale and an offset of its own: training and use."""
    g = torch.Generator().manual_seed(seed)
    centers = 2 * torch.randn(CLASSES, features, generator=g)
    mix = torch.randn(features, features, generator=g) / features ** 0.5 + 0.5 * torch.eye(features)
    scale, offset = torch.randn(features, generator=g).exp(), torch.randn(features, generator=g)

    def part(count):
        labels = torch.randint(0, CLASSES, (count,), generator=g)
        x = centers[labels] + 1.5 * torch.randn(count, features, generator=g) @ mix
        return (x + offset) * scale, labels
    return part(20000), part(3000)


class Source:
    """Data of training and of use, and the part of them that a defect draws from."""

    def __init__(self, r):
        self.is_image = r.random() < 0.5
        if self.is_image:
            self.train, self.use = small_images("train"), small_images("t10k")
            self.features = 196
        else:
            self.features = r.choice([16, 24, 40])
            self.train, self.use = table(self.features, r.randrange(4))

    def some(self, part, count, generator, classes=None):
        x, labels = part
        if classes is not None:
            keep = torch.nonzero(torch.isin(labels, torch.tensor(classes))).flatten()
            x, labels = x[keep], labels[keep]
        i = torch.randint(0, len(x), (count,), generator=generator)
        return x[i], labels[i]


# ---- Architectures ----------------------------------------------------------------------------------------------

class Residual(nn.Module):
    def __init__(self, width, norm, act):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width)
        self.conv2, self.bn2, self.act = nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width), act()

    def forward(self, x):
        y = self.act(self.bn1(self.conv1(x)))
        return self.act(x + self.bn2(self.conv2(y)))


class Tokens(nn.Module):
    """Images as rows of pixels, tables as tokens of four features."""

    def forward(self, x):
        return x[:, 0] if x.dim() == 4 else x.reshape(len(x), -1, 4)


class Mixer(nn.Module):
    def __init__(self, width, norm):
        super().__init__()
        self.norm1, self.attention = norm(width), nn.MultiheadAttention(width, 2, batch_first=True)
        self.norm2, self.mlp = norm(width), nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        z = self.norm1(x)
        x = x + self.attention(z, z, z, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Shift(nn.Module):
    def __init__(self, by):
        super().__init__()
        self.by = by

    def forward(self, x):
        return x + self.by.reshape([-1] + [1] * (x.dim() - 2))


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(1)


def convolutional(r, o):
    w, act = o["width"], o["act"]
    parts = {"conv1": nn.Conv2d(1, w, 3, padding=1, bias=o["bias"]), "bn1": o["norm2d"](w), "act1": act()}
    if o["depth"] > 2 and r.random() < 0.4:
        parts["pool1"] = nn.MaxPool2d(2)
        for i in range(o["depth"] - 2):
            parts["block%d" % (i + 1)] = Residual(w, o["norm2d"], act)
    else:
        for i in range(2, o["depth"] + 1):
            if i <= 3:
                parts["pool%d" % (i - 1)] = nn.MaxPool2d(2)
            if i == 2 and o["dropout"]:
                parts["drop"] = nn.Dropout(o["dropout"])
            parts["conv%d" % i] = nn.Conv2d(w if i == 2 else 2 * w, 2 * w, 3, padding=1, bias=o["bias"])
            parts["bn%d" % i], parts["act%d" % i] = o["norm2d"](2 * w), act()
            w0 = 2 * w
    last = [m for m in Net(**parts).modules() if isinstance(m, nn.Conv2d)][-1].out_channels
    parts.update(gap=nn.AdaptiveAvgPool2d(2), flat=nn.Flatten())
    if r.random() < 0.5:
        parts.update(fc1=nn.Linear(4 * last, 2 * w, bias=False), bn0=o["norm1d"](2 * w), act0=act())
        return Net(**parts, fc2=nn.Linear(2 * w, CLASSES))
    return Net(**parts, fc=nn.Linear(4 * last, CLASSES))


def dense(r, o, features):
    w, act = 2 * o["width"], o["act"]
    parts, inputs = {"flat": nn.Flatten()}, features
    for i in range(1, o["depth"] + 1):
        if i == 2 and o["dropout"]:
            parts["drop"] = nn.Dropout(o["dropout"])
        parts["fc%d" % i] = nn.Linear(inputs, w, bias=o["bias"])
        parts["bn%d" % i], parts["act%d" % i] = o["norm1d"](w), act()
        inputs = w
    return Net(**parts, out=nn.Linear(w, CLASSES))


def transformer(r, o, source):
    w = 2 * o["width"]
    parts = {"tokens": Tokens(), "embed": nn.Linear(14 if source.is_image else 4, w)}
    for i in range(1, o["depth"]):
        parts["block%d" % i] = Mixer(w, o["token_norm"])
    return Net(**parts, norm=o["token_norm"](w), mean=Mean(), head=nn.Linear(w, CLASSES))


def options(r, **fixed):
    eps, momentum = r.choice([1e-5, 1e-5, 1e-3]), r.choice([0.1, 0.1, 0.1, 0.05, None])
    o = {"width": r.choice([8, 12, 16, 24]), "depth": r.choice([2, 3, 4]), "eps": eps, "momentum": momentum,
         "act": r.choice([nn.ReLU, nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.LeakyReLU]), "bias": r.random() < 0.3,
         "dropout": 0.0, "steps": r.choice([200, 250, 300]), "batch": r.choice([16, 32, 64]), "lr": r.choice([2e-3, 4e-3]),
         "settle": r.random() < 0.7, "norms": "batch"}
    o.update(fixed)
    if o["momentum"] is None and "momentum" not in fixed:
        o["cumulative"] = True                          # a plain mean is right where weights hardly move: see train()
        o["momentum"] = 0.1
    batch = dict(eps=o["eps"], momentum=o["momentum"])
    o["norm2d"], o["norm1d"] = (functools.partial(k, **batch) for k in (nn.BatchNorm2d, nn.BatchNorm1d))
    if o["norms"] == "group":
        o["norm2d"] = o["norm1d"] = lambda c: nn.GroupNorm(4, c, eps=o["eps"])
    elif o["norms"] == "layer":
        o["norm2d"], o["norm1d"] = lambda c: nn.GroupNorm(1, c), lambda c: nn.LayerNorm(c, eps=o["eps"])
    elif o["norms"] == "instance":
        o["norm2d"], o["norm1d"] = lambda c: nn.InstanceNorm2d(c, affine=True, eps=o["eps"]), nn.LayerNorm
    elif o["norms"] == "rms":
        o["norm2d"], o["norm1d"] = lambda c: nn.GroupNorm(2, c), lambda c: nn.RMSNorm(c, eps=o["eps"])
    elif o["norms"] == "own":
        o["norm2d"], o["norm1d"] = lambda c: nn.GroupNorm(2, c), RootMeanSquareNorm
    o["token_norm"] = {"rms": lambda c: nn.RMSNorm(c, eps=o["eps"]), "own": RootMeanSquareNorm}.get(
        o["norms"], lambda c: nn.LayerNorm(c, eps=o["eps"]))
    return o


class Patient:
    """A network in training, its data, and what is told of both."""

    def __init__(self, r, **fixed):
        self.r, self.seed = r, r.randrange(1 << 30)
        self.source = Source(r)
        self.options = o = options(r, **fixed)
        self.generator = torch.Generator().manual_seed(self.seed)
        torch.manual_seed(self.seed)
        self.net = self.fresh()
        self.facts, self.prepare, self.scale = {}, lambda x: x, 1.0
        self.custom = (RootMeanSquareNorm,) if o["norms"] == "own" else ()
        self.x = None

    def fresh(self):
        # The same architecture again, whatever was drawn since.
        r = random.Random(self.seed)
        if self.options["norms"] != "batch" and r.random() < 0.5:
            return transformer(r, self.options, self.source)
        if self.source.is_image and r.random() < 0.75:
            return convolutional(r, self.options)
        return dense(r, self.options, self.source.features)

    def train(self, net=None, each=None, **changes):
        o = {**self.options, **changes}
        net = net if net is not None else self.net
        x, labels = self.source.train
        fit(net, x * self.scale, labels, steps=o["steps"], batch=o["batch"], lr=o["lr"], seed=changes.get("order", self.seed),
            each=each, settle=o["settle"])
        if o.get("cumulative") and net is self.net:
            # Statistics taken anew in the end, as update_bn does.
            for m in norms(net):
                m.reset_running_stats()
                m.momentum = None
            self.see(net, lambda x: x, 40, 64, self.source.train)
        return net

    @torch.no_grad()
    def see(self, net, prepare, count, size, part, classes=None):
        """Batches in training mode, without learning."""
        net.train()
        for _ in range(count):
            net(prepare(self.source.some(part, size, self.generator, classes)[0] * self.scale))
        net.eval()

    def tell(self, *names):
        o = self.options
        told = {"batches": o["steps"], "batch_size": o["batch"]}
        self.facts.update({k: told[k] for k in names})

    def tell_perhaps(self):
        if self.r.random() < 0.4 and not self.options.get("cumulative"):
            self.tell("batches", "batch_size")

    def write(self, folder, truth, training=False):
        folder.mkdir(parents=True, exist_ok=True)
        count = self.r.choice([64, 128, 256])
        x = self.x if self.x is not None else self.prepare(
            self.source.some(self.source.use, count, self.generator)[0] * self.scale)
        capture(self.net, x, folder / "capture.safetensors", custom=self.custom, quiet=True, **self.facts)
        if training:
            x = self.source.some(self.source.train, 256, self.generator)[0] * self.scale
            capture(self.net, x, folder / "train.safetensors", custom=self.custom, quiet=True,
                    **{**self.facts, "data": "training", "shuffled": True})
        (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


@torch.no_grad()
def is_slight(p, right, prepare=lambda x: x):
    """Whether the defect changes the network's result by less than a fifth of its spread: then none may be found."""
    x = prepare(p.source.some(p.source.use, 256, torch.Generator().manual_seed(0))[0] * p.scale)
    y, z = right.eval()(x), p.net.eval()(x)
    return (y - z).square().mean().sqrt().item() < 0.2 * y.std().item()


def with_statistics(p, net=None):
    """A copy with the statistics of training data, taken anew."""
    net = copy.deepcopy(net or p.net)
    for m in norms(net):
        m.reset_running_stats()
        m.momentum = None
    p.see(net, lambda x: x, 10, 200, p.source.train)
    return net


def found(p, right, defect, accept=(), **more):
    """The truth about a defect that may be slight."""
    none = [None] if is_slight(p, right) else []
    return truth(defect, [*accept, *none], **more)


def truth(defect, accept=(), layers=(), summary="", train=None):
    """`train`: the findings that are right when train.safetensors decides; those of `accept` where it is not given."""
    named = {"defect": defect, "accept": list(accept)}
    return {**named, "healthy": defect is None, "layers": list(layers), "summary": summary,
            "with_train": named if train is None else {"defect": defect, "accept": list(train)}}


# ---- Conditions -------------------------------------------------------------------------------------------------

DEFECTS = {}


def defect(function):
    DEFECTS[function.__name__.replace("_", "-")] = function
    return function


def named_norms(net):
    return [(name, m) for name, m in net.named_modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def healthy(r):
    p = Patient(r, norms=r.choice(["batch"] * 6 + ["group", "layer", "instance", "rms", "own"]))
    p.train()
    p.tell_perhaps()
    return p, truth(None)


@defect
def infinite(r):
    p = Patient(r)
    p.train()
    name, m = r.choice(named_norms(p.net))
    m.running_var[r.randrange(m.num_features)] = float("inf")
    return p, truth("non-finite-statistics", layers=[name])


@defect
def not_a_number(r):
    p = Patient(r)
    p.train()
    name, m = r.choice(named_norms(p.net))
    channel = r.randrange(m.num_features)
    m.running_mean[channel] = m.running_var[channel] = float("nan")
    return p, truth("non-finite-statistics", layers=[name])


@defect
def negative(r):
    p = Patient(r)
    p.train()
    name, m = r.choice(named_norms(p.net))
    channel = r.randrange(m.num_features)
    m.running_var[channel] = -0.3 * m.running_var[channel] - 0.01
    return p, truth("negative-running-variance", layers=[name])


@defect
def lost(r):
    p = Patient(r)
    p.train()
    all_norms = named_norms(p.net)
    some = all_norms if r.random() < 0.6 else [all_norms[-1]]
    for _, m in some:
        m.reset_running_stats()
    return p, truth("never-trained-statistics")


@defect
def exchanged_channels(r):
    p = Patient(r)
    p.train()
    name, m = r.choice(named_norms(p.net)[1:])
    order = torch.randperm(m.num_features, generator=p.generator)
    m.running_mean.copy_(m.running_mean[order])
    m.running_var.copy_(m.running_var[order])
    return p, truth("exchanged-statistics", layers=[name], accept=["foreign-statistics"] if m.num_features < 12 else [])


@defect
def exchanged_layers(r):
    what = r.choice(["both", "mean", "var"])
    p = Patient(r, depth=4)
    p.train()
    pairs = [(a, b) for a in named_norms(p.net) for b in named_norms(p.net)
             if a[0] < b[0] and a[1].num_features == b[1].num_features]
    (name, m), (other, n) = r.choice(pairs)
    right = copy.deepcopy(p.net)
    for key in ("mean", "var") if what == "both" else (what,):
        a, b = getattr(m, "running_" + key), getattr(n, "running_" + key)
        kept = a.clone()
        a.copy_(b)
        b.copy_(kept)
    return p, truth("exchanged-statistics", [None] if is_slight(p, right) else [],
                    layers=[] if is_slight(p, right) else [name, other], summary=what)


@defect
def foreign(r):
    p = Patient(r)
    p.train()
    torch.manual_seed(p.seed + 1)
    other = p.train(p.fresh(), order=p.seed + 1)
    for m, theirs in zip(norms(p.net), norms(other)):
        m.running_mean.copy_(theirs.running_mean)
        m.running_var.copy_(theirs.running_var)
    return p, truth("foreign-statistics", accept=["stale-statistics"])


@defect
def slow(r):
    p = Patient(r, momentum=r.choice([0.001, 0.002, 0.005]))
    p.train()
    p.tell_perhaps()
    return p, truth("statistics-not-converged")


@defect
def keras_momentum(r):
    p = Patient(r, momentum=r.choice([0.99, 0.9]), batch=r.choice([16, 32, 64]))
    p.train()
    return p, truth("momentum-convention", accept=["noisy-statistics"])


@defect
def validated_in_training(r):
    p = Patient(r)
    p.options.pop("cumulative", None)

    def validate(step, net):
        if step % 2:
            with torch.no_grad():
                net(p.source.some(p.source.train, 32, p.generator)[0])
    p.train(each=validate)
    p.tell("batches", "batch_size")
    return p, truth("double-update", accept=["overwritten-statistics"])


def washed(r):
    a, b = r.choice([(0.3, 0.6), (1.0, 1.5), (0.5, -0.8), (2.0, 0.5)])
    return lambda x: a * x + b * x.std()


@defect
def overwritten(r):
    p = Patient(r, dropout=0.0)
    p.options.pop("cumulative", None)
    p.train()
    p.see(p.net, washed(r), r.choice([20, 60]), r.choice([8, 32]), p.source.use)
    if r.random() < 0.6:
        p.tell("batches")
        return p, truth("overwritten-statistics", accept=["double-update"])
    return p, truth("overwritten-statistics", train=["unrepresentative-statistics", "stale-statistics"],
                    accept=["domain-shift", "unrepresentative-statistics", "stale-statistics"], summary="untold")


@defect
def averaged(r):
    p = Patient(r, settle=False, lr=1e-2)
    p.options.pop("cumulative", None)
    sums = {}

    def average(step, net):
        if 2 * step >= p.options["steps"] and step % 10 == 0:
            for key, value in net.named_parameters():
                sums.setdefault(key, []).append(value.detach().clone())
    p.train(each=average)
    for key, value in p.net.named_parameters():
        value.data.copy_(torch.stack(sums[key]).mean(0))
    return p, found(p, with_statistics(p), "stale-statistics", ["foreign-statistics"])


@defect
def frozen_early(r):
    p = Patient(r, settle=False, lr=4e-3)
    p.options.pop("cumulative", None)
    early = r.choice([5, 20, 40])

    def freeze(step, net):
        if step >= early:
            for m, (mean, var, count) in zip(norms(net), kept):
                m.running_mean.copy_(mean)
                m.running_var.copy_(var)
                m.num_batches_tracked.copy_(count)
        else:
            kept[:] = [(m.running_mean.clone(), m.running_var.clone(), m.num_batches_tracked.clone()) for m in norms(net)]
    kept = []
    p.train(each=freeze)
    if r.random() < 0.6:
        p.tell("batches")
    return p, found(p, with_statistics(p), "stale-statistics", ["foreign-statistics", "statistics-not-converged"])


@defect
def tiny_batches(r):
    p = Patient(r, batch=r.choice([2, 3]), steps=600, lr=1e-3, momentum=0.1)
    p.train()
    if r.random() < 0.6:
        p.tell("batch_size")
    return p, truth("noisy-statistics", accept=[None])


@defect
def some_classes(r):
    p = Patient(r)
    p.options.pop("cumulative", None)
    p.train()
    classes = r.sample(range(CLASSES), r.choice([1, 2, 3]))
    p.see(p.net, lambda x: x, 60, 64, p.source.train, classes)
    for m in norms(p.net):
        m.num_batches_tracked.fill_(p.options["steps"])
    none = [None] if is_slight(p, with_statistics(p)) else []
    return p, truth("unrepresentative-statistics", ["overwritten-statistics", "domain-shift", *none],
                    train=["overwritten-statistics", "stale-statistics", *none], summary="%d classes" % len(classes))


@defect
def dropout(r):
    p = Patient(r, dropout=r.choice([0.4, 0.5, 0.6]), depth=3, norms="batch")
    p.train()
    before = [name for name, m in p.net.named_children() if isinstance(m, nn.Dropout)]
    if not before:
        return dropout(r)
    return p, found(p, with_statistics(p), "dropout-variance-shift", layers=[])


@defect
def epsilon(r):
    own, other = r.choice([(1e-3, 1e-5), (1e-5, 1e-3)])
    p = Patient(r, eps=own, depth=r.choice([3, 4]))
    p.scale = r.choice([0.03, 0.05])
    if not p.source.is_image:
        x, _ = p.source.train
        p.scale *= 1 / x.std().item()
    right = copy.deepcopy(p.train())
    for m in norms(p.net):
        m.eps = other
    return p, found(p, right, "epsilon-mismatch")


@defect
def other_scale(r):
    p = Patient(r)
    p.train()
    p.prepare = r.choice([lambda x: 0.5 * x, lambda x: 2 * x, lambda x: x / 255, lambda x: x + x.std(), lambda x: -x,
                          lambda x: x + 0.7 * x.std() * torch.randn(x.shape, generator=p.generator)])
    p.tell_perhaps()
    # Data that the statistics fit all the same show nothing.
    adapted = copy.deepcopy(p.net)
    for m in norms(adapted):
        m.reset_running_stats()
        m.momentum = None
    p.see(adapted, p.prepare, 10, 200, p.source.use)
    none = [None] if is_slight(p, adapted, p.prepare) else []
    return p, truth("domain-shift", accept=none + ([] if "batches" in p.facts else [
        "overwritten-statistics", "unrepresentative-statistics"]), train=none)


@defect
def dead(r):
    p = Patient(r, act=r.choice([nn.ReLU, nn.GELU]))
    p.train()
    name, m = r.choice(named_norms(p.net))
    channels = r.sample(range(m.num_features), 2)
    # They died early: what is behind them has learned without them.
    with torch.no_grad():
        m.weight[channels] = 0
        m.bias[channels] = 0
    p.train(steps=100)
    with torch.no_grad():
        m.weight[channels] = 0
        m.bias[channels] = 0
    p.see(p.net, lambda x: x, 60, 64, p.source.train)
    return p, truth("dead-channels", layers=[name])


@defect
def odd_formula(r):
    kind, make = r.choice(ODD_NORMS)
    p = Patient(r, norms={nn.LayerNorm: "layer", nn.GroupNorm: "group", nn.RMSNorm: "rms", nn.InstanceNorm2d: "instance"}[kind])
    while not any(type(m) is kind for m in p.net.modules()):
        p = Patient(r, norms=p.options["norms"])
    p.train(steps=100)
    p.net = replaced(p.net, kind, make)
    return p, truth("different-formula", summary=make.__name__)


@defect
def lost_shift(r):
    p = Patient(r, bias=False)
    p.options.pop("cumulative", None)
    p.train()
    children = dict(p.net.named_children())
    first = children.get("conv1", children.get("fc1"))
    bn = children["bn1"]
    with torch.no_grad():
        scale = bn.weight / (bn.running_var + bn.eps).sqrt()
        first.weight.mul_(scale.reshape([-1] + [1] * (first.weight.dim() - 1)))
        lost = (bn.bias - bn.running_mean * scale).abs().mean().item()
    right = copy.deepcopy(p.net)
    right.bn1 = Shift(bn.bias - bn.running_mean * scale)
    p.net.bn1 = nn.Identity()
    return p, found(p, right, "stale-statistics", ["foreign-statistics"], summary="bn1 folded, shift of %.2f lost" % lost)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first network")
    arguments = parser.parse_args()
    names = list(DEFECTS)
    start = time.time()
    for i in range(arguments.first, arguments.first + arguments.count):
        r = random.Random(arguments.seed * 1_000_003 + i)
        name = "healthy" if i % 3 == 0 else names[(i - i // 3 - 1) % len(names)]
        patient, known = (DEFECTS.get(name) or healthy)(r)
        patient.write(arguments.out / ("%04d-%s" % (i, name)), known, training=name in (
            "overwritten", "some-classes", "other-scale", "averaged", "foreign", "dropout") or name == "healthy" and i % 12 == 0)
        print("%4d %-24s %6.1f s" % (i, name, time.time() - start), flush=True)


if __name__ == "__main__":
    main()
