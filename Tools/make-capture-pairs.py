#!/usr/bin/env python3
"""Writes pairs of captures of the same network, for `norma compare`: a port with a mistake and its
original.

    python3 Tools/make-capture-pairs.py FOLDER

Needs torch. FOLDER/truth.json has an entry for each pair: its two files, and the verdict, the layer and
the causes that `norma compare` must name. Tests/Fixtures/captures was written by this script.
"""

import copy
import importlib.util
import json
import os
import sys

import torch
from torch import nn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPEC = importlib.util.spec_from_file_location(
    "norma_capture", os.path.join(ROOT, "Sources/NormaCLI/Capture/norma_capture.py"))
norma_capture = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(norma_capture)


class LayerNormByHand(nn.Module):
    """A common manual layer norm: n - 1."""

    def __init__(self, other, correction=1):
        super().__init__()
        self.weight, self.bias, self.eps = other.weight, other.bias, other.eps
        self.correction = correction

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        var = x.var(-1, keepdim=True, correction=self.correction)
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias


class OffsetRMSNorm(nn.Module):
    """Gemma's: the weight is an offset from 1."""

    def __init__(self, other, offset):
        super().__init__()
        self.weight, self.eps, self.offset = nn.Parameter(other.weight.detach().clone()), 1e-6, offset

    def forward(self, x):
        y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
        return y * (self.weight + self.offset)


class Convs(nn.Module):
    """Four convolutions, each with a norm."""

    def __init__(self, norm=nn.BatchNorm2d, widths=(4, 4, 4, 4)):
        super().__init__()
        self.blocks = nn.ModuleList()
        before = 3
        for width in widths:
            convolution = nn.Conv2d(before, width, 3, padding=1, bias=False)
            self.blocks.append(nn.Sequential(convolution, norm(width), nn.ReLU()))
            before = width
        self.head = nn.Linear(before, 5)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


class Tokens(nn.Module):
    """Two blocks of a transformer without attention."""

    def __init__(self, norm=nn.LayerNorm, width=12):
        super().__init__()
        self.first, self.up = nn.Linear(width, width), nn.Linear(width, width)
        self.second = nn.Linear(width, 7)
        self.norm1, self.norm2 = norm(width), norm(width)

    def forward(self, x):
        x = x + torch.nn.functional.gelu(self.first(self.norm1(x)))
        return self.second(self.norm2(x + self.up(x)))


def trained(network, x):
    """Random weights unlike those of a new layer, and statistics of the data."""
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if getattr(module, "weight", None) is not None and "Norm" in type(module).__name__:
            module.weight.data = 0.5 + torch.rand(module.weight.shape, generator=generator)
            if getattr(module, "bias", None) is not None:
                module.bias.data = torch.randn(module.bias.shape, generator=generator) * 0.3
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    network.train()
    with torch.no_grad():
        network(x)
        network(x.flip(0) * 1.1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
    return network.eval()


def cases():
    torch.manual_seed(0)
    x = torch.randn(3, 3, 4, 4) * 0.6 + 0.2
    tokens = torch.randn(4, 6, 12) * 2 + 0.5
    base = trained(Convs(), x)
    text = trained(Tokens(), tokens)

    def changed(network, change):
        other = copy.deepcopy(network)
        with torch.no_grad():
            result = change(other)
        return other if result is None else result

    def case(name, a, b, verdict, layer=None, causes=(), xs=x, other=None, custom=()):
        return dict(
            name=name, a=a, b=b, x=xs, other=xs if other is None else other, verdict=verdict, layer=layer,
            causes=list(causes), custom=custom)

    def eps(net):
        for block in net.blocks:
            block[1].eps = 1e-3

    def eps_of_third(net):
        net.blocks[2][1].eps = 0.1

    def other_variance(net):
        net.blocks[1][1].running_var.copy_(net.blocks[2][1].running_var)

    def exchanged(net):
        net.blocks[1][1], net.blocks[2][1] = net.blocks[2][1], net.blocks[1][1]

    def fresh(net):
        net.blocks[2][1].reset_running_stats()

    def one_channel(net):
        net.blocks[3][1].bias[2] += 0.2

    def conv(net):
        net.blocks[2][0].weight.mul_(1.2)

    def flipped(net):
        net.blocks[2][0].weight.copy_(net.blocks[2][0].weight.flip(2))

    def head(net):
        net.head.weight.mul_(1.1)

    def momentum(net):
        for block in net.blocks:
            block[1].momentum = 0.9

    def deviation(net):
        for block in net.blocks:
            block[1].running_var.sqrt_()

    def two(net):
        net.blocks[1][1].eps = 0.05
        net.blocks[3][1].weight.mul_(0.9)

    def by_hand(net):
        net.norm2 = LayerNormByHand(net.norm2)

    def same_by_hand(net):
        net.norm2 = LayerNormByHand(net.norm2, 0)

    def to_rms(net):
        norm = nn.RMSNorm(12, eps=1e-5)
        norm.weight = net.norm1.weight
        net.norm1 = norm

    class Renamed(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.stem, self.stages = net.blocks[0], nn.ModuleList(list(net.blocks)[1:])
            self.classifier = net.head

        def forward(self, x):
            x = self.stem(x)
            for stage in self.stages:
                x = stage(x)
            return self.classifier(x.mean((2, 3)))

    class Reordered(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.blocks, self.head = net.blocks, net.head

        def forward(self, x):
            for k in (0, 2, 1, 3):
                x = self.blocks[k](x)
            return self.head(x.mean((2, 3)))

    yield case("same", base, changed(base, lambda n: None), "same")
    yield case("prefix", base, nn.Sequential().append(changed(base, lambda n: None)), "same")
    yield case("renamed", base, Renamed(changed(base, lambda n: None)), "same")
    yield case("renamed-eps", base, Renamed(changed(base, eps)), "layer", "blocks.0.1", ["eps"])
    yield case("eps", base, changed(base, eps), "layer", "blocks.0.1", ["eps"])
    yield case("eps-of-third", base, changed(base, eps_of_third), "layer", "blocks.2.1", ["eps"])
    yield case("other-variance", base, changed(base, other_variance), "layer", "blocks.1.1", ["running-statistics"])
    yield case(
        "exchanged", base, changed(base, exchanged), "layer", "blocks.1.1",
        ["weight", "bias", "running-statistics"])
    yield case("fresh", base, changed(base, fresh), "layer", "blocks.2.1", ["running-statistics"])
    yield case("one-channel", base, changed(base, one_channel), "layer", "blocks.3.1", ["bias"])
    yield case("deviation", base, changed(base, deviation), "layer", "blocks.0.1", ["running-statistics"])
    yield case("two", base, changed(base, two), "layer", "blocks.1.1", ["eps"])
    yield case("conv", base, changed(base, conv), "between", "blocks.2.1")
    yield case("flipped-kernel", base, changed(base, flipped), "between", "blocks.2.1")
    yield case("head", base, changed(base, head), "result")
    yield case("momentum", base, changed(base, momentum), "state", "blocks.0.1")
    yield case(
        "other-batch", base, changed(base, lambda n: None), "inputs", "blocks.0.1",
        other=torch.randn(3, 3, 4, 4))
    yield case("scaled-batch", base, changed(base, lambda n: None), "inputs", "blocks.0.1", other=x * 255)
    yield case("shuffled-batch", base, changed(base, lambda n: None), "inputs", "blocks.0.1", other=x.flip(0))
    yield case("fewer-samples", base, changed(base, lambda n: None), "same", other=x[:2])
    yield case("reordered", base, Reordered(changed(base, lambda n: None)), "between", "blocks.1.1")
    half = changed(base, lambda n: n.half())
    yield case("half", base, half, "same", other=x.half())
    yield case("half-eps", base, changed(half, eps_of_third), "layer", "blocks.2.1", ["eps"], other=x.half())
    yield case("bfloat", base, changed(base, lambda n: n.bfloat16()), "same", other=x.bfloat16())
    yield case("double", base, changed(base, lambda n: n.double()), "same", other=x.double())
    wide = trained(Convs(), x * 4000)
    yield case(
        "half-overflow", wide, changed(wide, lambda n: n.half()), "layer", "blocks.0.1",
        ["running-statistics"], xs=x * 4000, other=(x * 4000).half())
    yield case("shorter", base, trained(Convs(widths=(4, 4, 4)), x), "inputs", "blocks.0.1", ["running-statistics"])
    yield case(
        "other-width", base, trained(Convs(widths=(4, 4, 6, 4)), x), "inputs", "blocks.0.1",
        ["running-statistics"])
    yield case("token-same", text, changed(text, lambda n: None), "same", xs=tokens)
    yield case(
        "token-by-hand", text, changed(text, by_hand), "layer", "norm2", ["correction"], xs=tokens,
        custom=("LayerNormByHand",))
    yield case(
        "token-same-by-hand", text, changed(text, same_by_hand), "same", xs=tokens,
        custom=("LayerNormByHand",))
    yield case("token-rms", text, changed(text, to_rms), "layer", "norm1", ["mean-subtraction", "bias"], xs=tokens)
    rms = trained(Tokens(lambda n: nn.RMSNorm(n, eps=1e-6)), tokens)

    def offset(value, shift=0.0):
        def change(net):
            for name in ("norm1", "norm2"):
                norm = OffsetRMSNorm(getattr(net, name), value)
                norm.weight.data.add_(shift)
                setattr(net, name, norm)
        return change

    yield case(
        "rms-offset", rms, changed(rms, offset(1.0)), "layer", "norm1", ["affine"], xs=tokens,
        custom=("OffsetRMSNorm",))
    yield case("rms-plain-custom", rms, changed(rms, offset(0.0)), "same", xs=tokens, custom=("OffsetRMSNorm",))
    group = trained(Convs(lambda n: nn.GroupNorm(2, n)), x)

    def groups(net):
        for block in net.blocks:
            block[1].num_groups = 4
    yield case("groups", group, changed(group, groups), "layer", "blocks.0.1", ["axes"])
    instance = trained(Convs(lambda n: nn.InstanceNorm2d(n, affine=True)), x)
    yield case("instance", instance, changed(instance, eps), "layer", "blocks.0.1", ["eps"])
    square = trained(Convs(lambda n: nn.LayerNorm([4, 4])), x)

    def transposed(net):
        net.blocks[1][1].weight.copy_(net.blocks[1][1].weight.t().clone())
    yield case("transposed", square, changed(square, transposed), "layer", "blocks.1.1", ["weight"])


def write(folder, name, network, x, custom):
    custom = tuple(c for c in custom if any(type(m).__name__ == c for m in network.modules()))
    norma_capture.capture(network, x, os.path.join(folder, name), quiet=True, alone=0, probes=0, custom=custom)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    truth, written = [], {}
    for case in cases():
        first = written.setdefault(id(case["a"]), (case["name"] + ".first.safetensors", case["a"]))[0]
        if first.startswith(case["name"] + "."):
            write(folder, first, case["a"], case["x"], case["custom"])
        second = case["name"] + ".second.safetensors"
        write(folder, second, case["b"], case["other"], case["custom"])
        entry = {key: case[key] for key in ("name", "verdict", "layer", "causes")}
        truth.append({**entry, "first": first, "second": second})
    with open(os.path.join(folder, "truth.json"), "w") as file:
        json.dump(truth, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
