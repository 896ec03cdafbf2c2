"""What people get wrong, as changes to a formula's fields."""

import dataclasses
import itertools
import math

import torch


@dataclasses.dataclass
class Mistake:
    cause: str
    change: dict
    user: str
    accept: tuple = ()
    weight: float = 1.0
    single: bool = False  # only by itself

    def combines(self, other):
        return self.cause != other.cause and not set(self.change) & set(other.change) and not (
            self.single or other.single)


def catalogue(layer, right):
    """Every mistake that somebody can make with a layer and its input."""
    found = []

    def add(cause, user, accept=(), weight=1.0, single=False, **change):
        found.append(Mistake(cause, change, user, tuple(accept), weight, single))

    if layer.compare == "output":
        epsilons(add, layer)
        affine(add, layer)
        order(add, layer)
        others(add, layer)
    if right["source"] == "batch" and layer.compare == "output":
        counts(add, layer)
        centring(add, layer)
        axes(add, layer)
        nested(add, layer)
        groups(add, layer)
        parts(add, layer)
    if layer.mask is not None:
        for way, user in [
            ("statistics", "unmasked positions only"), ("filled", "zeros at masked positions"),
            ("zeroed", "unmasked positions only, result zeroed"),
        ]:
            add("mask/padding", user, mask=way, single=way == "zeroed")
    if layer.is_batch or layer.is_instance:
        running(add, layer, right)
    if layer.compare == "output":
        precision(add, layer, right)
    return found


def epsilons(add, layer):
    eps = layer.eps
    placements = [("outside", "sqrt(var) + eps", 4), ("larger", "sqrt(max(var, eps))", 1),
                  ("both", "sqrt(var + eps) + eps", 1), ("larger-deviation", "max(sqrt(var), eps)", 1),
                  ("sum", "sqrt((sum + eps) / n)", 0.5)]
    for way, user, weight in placements:
        if layer.uses_batch or way != "sum":
            add("epsilon-placement", user, placement=way, weight=weight)
    values = {0.0: 3, 1e-3: 4, 1e-5: 3, 1e-6: 3, 1e-8: 2, 1e-12: 2, 1e-7: 1, 1e-2: 1, 1e-4: 1,
              1.001e-5: 0.3, 2 * eps: 2, eps**2: 1, math.sqrt(eps): 1, eps / 2: 1, 0.1: 0.5, 1.0: 0.5,
              2e-5: 1, 3e-4: 0.5, 5e-3: 0.5}
    for value, weight in values.items():
        if value != eps:
            add("epsilon-value", f"{value:g}", eps=value, weight=weight * 0.5)


def affine(add, layer):
    module = layer.module
    if getattr(module, "weight", None) is None:
        return
    biased = getattr(module, "bias", None) is not None
    add("affine", "1 + weight", affine="plus", weight=2)
    add("affine", "weight - 1", affine="minus", weight=2)
    add("affine", "none", affine="none", weight=3)
    add("affine", "weight squared", affine="twice")
    add("affine", "divided by weight", affine="divided")
    if biased:
        add("affine", "no bias", affine="weight", weight=2)
        add("affine", "no weight", affine="bias", weight=2)
        add("affine", "bias subtracted", affine="minus-bias")
        add("affine", "weight and bias exchanged", affine="exchanged")
        add("order-of-operations", "(x + bias) * weight", affine="bias-first", weight=3)
    n = layer.size
    if len(layer.parameter_axes) == 1:
        for axis, size in enumerate(layer.shape):
            if axis not in layer.parameter_axes and size == n:
                add("affine", f"along axis {axis}", affine=("along", axis), weight=2)
    if layer.kind == "GroupNorm":
        g = layer.groups
        if 1 < g < n:
            i = torch.arange(n)
            add("affine", "one weight for each group", affine=("order", i // (n // g)), weight=2)
            add("affine", "group weights in turn", affine=("order", i % g))
            add("affine", "interleaved", affine=("order", i % g * (n // g) + i // g))


def order(add, layer):
    add("order-of-operations", "relu before", before="relu", accept=["other"], weight=0.6)
    add("order-of-operations", "relu after", after="relu", accept=["other"], weight=0.6)
    if layer.preceding is not None:
        add("order-of-operations", "preceding bias added after", before="no-shift", after="shift",
            accept=["affine"], weight=6)
        add("order-of-operations", "preceding bias left out", before="no-shift", weight=3,
            accept=["affine", "other", "mean-not-subtracted"])
    if getattr(layer.module, "weight", None) is not None:
        add("order-of-operations", "weight and bias before", before="affine", affine="none", weight=0.7,
            accept=["affine"])


def others(add, layer):
    add("other", "divided by the variance", divisor="variance", weight=1)
    add("other", "multiplied by the deviation", divisor="reciprocal", weight=1)
    add("other", "not divided", divisor="one", weight=1)
    add("other", "the input is added", after="input", weight=0.7)
    d = layer.count
    if layer.uses_batch and d > 1:
        add("other", "mean absolute deviation", steps=[("abs", layer.axes)], weight=1)
        add("other", "times sqrt(d)", times=math.sqrt(d), weight=1.5, accept=["correction", "affine"])
        add("other", "divided by sqrt(d)", times=1 / math.sqrt(d), weight=1.5, accept=["correction", "affine"])
        add("other", "times d", times=float(d), weight=1, accept=["correction", "affine"])
        add("other", "divided by d", times=1.0 / d, weight=0.5, accept=["correction", "affine"])
    replaced = {
        "relu of the input": lambda x: x.clamp(min=0),
        "square of the input": lambda x: x * x,
        "tanh of the input": lambda x: x.tanh(),
        "softmax": lambda x: x.softmax(-1),
        "gelu": lambda x: torch.nn.functional.gelu(x),
        "running sum": lambda x: x.cumsum(-1) if x.shape[-1] > 1 else x.cumsum(0),
        "sigmoid": lambda x: x.sigmoid(),
        "noise": lambda x: torch.randn(x.shape, generator=torch.Generator().manual_seed(x.numel()),
                                       dtype=torch.float64).to(x.dtype),
        "minimum to maximum": lambda x: (x - x.min()) / (x.max() - x.min()),
    }
    for user, function in replaced.items():
        add("other", user, replaced=function, weight=0.7, single=True)


def unbiased(n):
    return n / (n - 1) if n > 1 else math.nan


def counts(add, layer):
    n = layer.count
    if n < 2:
        return
    rows = layer.shape[0]
    add("correction", f"n - 1, n = {n}", factor=unbiased, weight=12)
    add("correction", "n - 1 twice", factor=lambda n: unbiased(n) ** 2, weight=0.7)
    add("correction", "(n - 1) / n", factor=lambda n: (n - 1) / n, weight=0.7)
    if rows > 1 and rows != n:
        add("correction", f"N - 1, N = {rows}", factor=lambda n: rows / (rows - 1), weight=1)
    add("other", "sum of squares", factor=lambda n: float(n), weight=1.5, accept=["correction"])
    seen = {n, 1}
    sizes = list(layer.shape) + [math.prod(layer.shape[2:]), math.prod(layer.shape[:2]),
                                 math.prod(layer.shape[:-1]), math.prod(layer.shape)]
    for size in sizes:
        if size in seen:
            continue
        seen.add(size)
        add("correction", f"sum / {size} instead of / {n}", factor=lambda n, size=size: n / size,
            accept=["other"], weight=0.8)
    if right_centred(layer):
        for size in sizes[: len(layer.shape)]:
            if size not in (1, n):
                add("mean-not-subtracted", f"mean = sum / {size}", weight=0.4,
                    mean_factor=lambda n, size=size: n / size, accept=["other"])


def right_centred(layer):
    return layer.kind != "RMSNorm"


def centring(add, layer):
    if right_centred(layer):
        add("mean-not-subtracted", "root mean square", centred=False, about_zero=True, weight=4)
        add("mean-not-subtracted", "x / std", centred=False, weight=2)
        add("mean-not-subtracted", "(x - mean) / root mean square", about_zero=True, weight=1)
    else:
        add("mean-not-subtracted", "(x - mean) / std", centred=True, about_zero=False, weight=4)
        add("mean-not-subtracted", "x / std", about_zero=False, weight=2)


def axes(add, layer):
    if layer.kind == "GroupNorm":
        rank = len(layer.view)
        sets = [[2], list(range(3, rank)), [1, 2], list(range(1, rank)), [0] + layer.axes]
    else:
        rank = len(layer.shape)
        sets = [list(s) for k in range(1, rank + 1) for s in itertools.combinations(range(rank), k)]
    for chosen in sets:
        count = math.prod(layer.view[a] for a in chosen)
        if not chosen or chosen == layer.axes or count < 2:
            continue
        add("axes", f"{tuple(chosen)}", mean_axes=chosen, steps=[("var", chosen)],
            accept=["group-assignment"] if layer.kind == "GroupNorm" else [], weight=8 / len(sets))
        add("axes", f"variance over {tuple(chosen)}", steps=[("var", chosen)], weight=0.7 / len(sets))
        add("axes", f"mean over {tuple(chosen)}", mean_axes=chosen, weight=0.7 / len(sets))


def nested(add, layer):
    view = layer.view
    usual = [a for a in layer.axes if view[a] > 1]
    if len(usual) < 2:
        return
    for split in range(1, len(usual)):
        for first, last in [(usual[:split], usual[split:]), (usual[split:], usual[:split])]:
            for kinds in [("std", "mean"), ("std", "std"), ("var", "mean"), ("mean", "std"), ("mean", "var")]:
                add("per-axis-composition", f"{kinds[1]} over {last} of {kinds[0]} over {first}",
                    steps=list(zip(kinds, [first, last])),
                    weight=1.5 / len(usual))


def groups(add, layer):
    if layer.kind == "GroupNorm":
        n, c, g = layer.shape[0], layer.shape[1], layer.groups
        rest = layer.shape[2:]
        inner = list(range(3, 3 + len(rest)))
        for other in range(1, c + 1):
            if c % other or other == g or c // other * math.prod(rest) < 2:
                continue
            add("group-assignment", f"{other} groups", view=(n, other, c // other) + rest,
                mean_axes=[2] + inner, steps=[("var", [2] + inner)],
                accept=["axes"] if other in (1, c) else [], weight=1.5)
        if 1 < g < c:
            add("group-assignment", f"c mod {g}", view=(n, c // g, g) + rest, mean_axes=[1] + inner,
                steps=[("var", [1] + inner)], weight=4)
    if layer.kind in ("LayerNorm", "RMSNorm") and len(layer.parameter_shape) == 1:
        # Heads: statistics of each, where the layer takes them together.
        d = layer.shape[-1]
        for heads in (2, 4, 8):
            if d % heads == 0 and d // heads > 2:
                view = layer.shape[:-1] + (heads, d // heads)
                last = [len(view) - 1]
                add("group-assignment", f"each of {heads} heads", view=view, mean_axes=last,
                    steps=[("var", last)], accept=["axes"], weight=0.7)


def parts(add, layer):
    rows = layer.shape[0]
    if layer.is_batch and rows >= 4 and layer.compare == "output":
        for k in (2, 4):
            if rows % k == 0:
                add("axes", f"the first 1/{k} of the batch", rows=rows // k,
                    accept=["other", "mask/padding", "group-assignment", "running-vs-batch-statistics"],
                    weight=1)
    if not layer.blocks:
        return
    add("axes", "each part by itself", blocks=("own", layer.blocks), weight=4)
    for way in ("averaged", "mean", "deviations"):
        add("per-axis-composition", f"parts: {way}", blocks=(way, layer.blocks), weight=2)


def running(add, layer, right):
    has = "running_mean" in layer.state
    name = "running-vs-batch-statistics"
    if layer.compare != "output":
        m = layer.momentum
        values = [1 - m, 0.99, 0.9, 0.01, 0.001, 0.5, 0.997, 0.05, 0.1]
        for value in dict.fromkeys(values):
            if value != m:
                add("momentum-convention", f"new value weighs {value:g}", momentum=value,
                    weight=6 if value == 1 - m else 1)
        if layer.compare == "running_var":
            add("running-variance-correction", "over n", update_factor=1.0, weight=6,
                accept=["correction"])
        return
    if not has:
        return
    if right["source"] == "running":
        if layer.count > 1 and layer.is_batch:
            add(name, "batch statistics", source="batch", weight=8)
        if layer.is_batch:
            add(name, "initial 0 and 1", buffers=("initial", None), weight=3, accept=["other", "affine"])
        for k in (0.5, 2.0, 10.0, 999.98, 1 / 999.98, 0.1):
            add("other", f"buffers times {k:g}", buffers=("times", k), weight=0.4,
                accept=["affine", name])
        add("other", "running_var taken for a deviation", buffers=("deviation", None), weight=1.5,
            accept=[name, "affine"])
        if layer.history is not None:
            history(add, layer)
        return
    add(name, "running statistics", source="running", weight=8)
    if layer.is_batch:
        add(name, "running statistics after the update", source="updated", weight=3)


def history(add, layer):
    m = layer.momentum
    made = lambda **how: ("replay", how)
    for value in dict.fromkeys([1 - m, 0.99, 0.9, 0.01, 0.001, 0.5, 0.997, 0.05, 0.1]):
        if value != m:
            add("momentum-convention", f"new value weighs {value:g}",
                buffers=made(momentum=value), weight=8 if value == 1 - m else 2)
    add("momentum-convention", "cumulative", buffers=made(way="cumulative"), weight=2,
        accept=["running-vs-batch-statistics"])
    add("running-variance-correction", "over n", buffers=made(biased=True), weight=12,
        accept=["correction"])
    add("running-vs-batch-statistics", "all batches together", buffers=made(way="pooled"), weight=3,
        accept=["momentum-convention"])
    add("running-vs-batch-statistics", "the last batch", buffers=made(way="last"), weight=3,
        accept=["momentum-convention"])


def precision(add, layer, right):
    name = "dtype-rounding"
    narrow = [("bfloat16", torch.bfloat16), ("float16", torch.float16)]
    for word, kind in narrow:
        if layer.dtype in (torch.float16, torch.bfloat16) and layer.dtype != kind:
            continue
        for steps in (["rstd"], ["square", "variance"], ["mean"], ["normalized"],
                      ["mean", "square", "variance", "rstd", "normalized", "result"]):
            if right["source"] != "batch" and {"square", "mean"} & set(steps):
                continue
            if "mean" in steps and not right["centred"]:
                continue
            add(name, f"{', '.join(steps)} in {word}", quantize={s: kind for s in steps},
                accept=["order-of-operations"] if steps == ["normalized"] else [], weight=0.7,
                single=True)
        if layer.dtype in (torch.float32, torch.float64):
            add(name, f"result in {word}", quantize={"result": kind}, weight=1)
    if right["centred"] and right["source"] == "batch":
        add(name, "E[x^2] - E[x]^2 in float32", one_pass=True, weight=4, single=True)
