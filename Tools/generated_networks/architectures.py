"""Convolutional and dense networks and transformers, with norms of any kind."""

import functools

from torch import nn

from doctor_networks import Net
from odd_norms import RootMeanSquareNorm

from .data import CLASSES


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
