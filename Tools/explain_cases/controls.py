"""Results without a mistake: the same formula by other ways, each with its own rounding."""

import numpy
import torch

from .formula import Formula, compute
from .layers import choose


def draw(r, layer, fields):
    """A result that differs from the layer's by rounding alone, and how it was made."""
    ways = [wide, single, numpy_way]
    if layer.dtype not in (torch.float16, torch.bfloat16) and layer.compare == "output":
        ways += [folded, permuted, blocked]
    way = choose(r, *ways)
    return way(layer, fields)


def wide(layer, fields):
    return compute(layer, fields).to(layer.dtype), "float64, rounded once"


def single(layer, fields):
    dtype = torch.float64 if layer.dtype == torch.float64 else torch.float32
    return compute(layer, fields, dtype).to(layer.dtype), "float32, step by step"


def numpy_way(layer, fields):
    """numpy's pairwise sums, with one product by a reciprocal root."""
    if fields["source"] != "batch":
        return single(layer, fields)
    dtype = numpy.float64 if layer.dtype == torch.float64 else numpy.float32
    x = layer.x.to(torch.float64).numpy().astype(dtype)
    v = x.reshape(fields["view"])
    axes = tuple(fields["mean_axes"])
    mean = v.mean(axes, keepdims=True, dtype=dtype) if fields["centred"] else dtype(0)
    square = numpy.mean((v - mean) ** 2, axes, keepdims=True, dtype=dtype)
    y = ((v - mean) * (1 / numpy.sqrt(square + dtype(fields["eps"])))).reshape(x.shape)
    result = Formula(layer, fields, torch.from_numpy(y).dtype).affine(torch.from_numpy(y), "both")
    return result.to(layer.dtype), "numpy, times a reciprocal root"


def folded(layer, fields):
    """One product and one sum: y = x * scale + shift."""
    with torch.no_grad():
        f = Formula(layer, fields, layer.dtype)
        x = layer.x
        if fields["source"] == "batch":
            mean, var = f.moments(x)
        else:
            mean, var = (layer.broadcast(b) for b in f.running)
        if not fields["centred"]:
            mean = mean * 0
        ones = torch.ones(layer.parameter_shape, dtype=layer.dtype)
        w = layer.broadcast(ones if f.weight is None else f.weight)
        b = layer.broadcast(ones * 0 if f.bias is None else f.bias)
        scale = w / (var + fields["eps"]).sqrt()
        return x * scale + (b - mean * scale), "folded into one product and one sum"


def permuted(layer, fields):
    """The values of each statistic in another order, by torch's own kernel."""
    x = layer.x
    axis = (layer.axes if layer.kind != "GroupNorm" else [a - 1 for a in layer.axes[1:]] or [1])[-1]
    if layer.kind in ("LayerNorm", "RMSNorm", "GroupNorm") and axis in layer.parameter_axes:
        return folded(layer, fields)
    state = layer.state
    with torch.no_grad():
        y = layer.module(x.flip(axis)).flip(axis)
    layer.module.load_state_dict(state)
    return y, "values in another order"


def blocked(layer, fields):
    """Sums of parts, added one after the other in the layer's type."""
    if fields["source"] != "batch":
        return folded(layer, fields)
    v = layer.x.reshape(fields["view"])
    kept = [a for a in range(v.dim()) if a not in fields["mean_axes"]]
    flat = v.permute(*kept, *fields["mean_axes"]).reshape([v.shape[a] for a in kept] + [-1])
    n = flat.shape[-1]

    def mean(t):
        total = torch.zeros(t.shape[:-1], dtype=t.dtype)
        for i in range(n):
            total = total + t[..., i]
        return (total / n).reshape([v.shape[a] if a in kept else 1 for a in range(v.dim())])

    centre = mean(flat) if fields["centred"] else torch.zeros((), dtype=v.dtype)
    distance = v - centre
    square = (distance**2).permute(*kept, *fields["mean_axes"]).reshape(flat.shape)
    y = (distance / (mean(square) + fields["eps"]).sqrt()).reshape(layer.shape)
    with torch.no_grad():
        return Formula(layer, fields, layer.dtype).affine(y, "both"), "sums one value after the other"
