"""A layer's formula with mistakes in it, in any element type."""

import math

import torch


def right(layer):
    """The layer's own formula, as the fields that a mistake changes."""
    rms = layer.kind == "RMSNorm"
    return {
        "source": "batch" if layer.uses_batch else "running",
        "view": layer.view,
        "mean_axes": layer.axes,
        "steps": [("var", layer.axes)],
        # Of the variance and of the mean, for the count of values that they rest on.
        "factor": None,
        "mean_factor": None,
        "eps": layer.eps,
        "placement": "inside",
        "affine": "both",
        "centred": not rms,
        "about_zero": rms,
        "divisor": "std",
        "before": None,
        "after": None,
        "times": 1.0,
        "update_factor": None,  # of the variance that enters an update; None for n / (n - 1)
        "momentum": layer.momentum,
        "buffers": None,
        "mask": None,
        "blocks": None,
        "rows": None,  # the rows of the batch that statistics are taken of
        "quantize": {},
        "one_pass": False,
        "replaced": None,
    }


class Formula:
    """Computes in type `dtype`; `float64` gives the truth."""

    def __init__(self, layer, fields, dtype):
        self.layer, self.f, self.dtype = layer, fields, dtype
        state = layer.state
        get = lambda name: state[name].to(dtype) if name in state else None
        self.weight, self.bias = get("weight"), get("bias")
        self.running = get("running_mean"), get("running_var")
        self.tracked = int(state.get("num_batches_tracked", torch.tensor(0)))
        self.mask = None
        if layer.mask is not None:
            shape = [1] * len(layer.shape)
            for axis, size in zip(layer.mask_axes, layer.mask.shape):
                shape[axis] = size
            self.mask = layer.mask.to(dtype).reshape(shape)

    def q(self, name, value):
        """A value rounded to the narrow type in which this step is taken."""
        narrow = self.f["quantize"].get(name)
        return value if narrow is None else value.to(narrow).to(value.dtype)

    # Statistics

    def moments(self, x):
        f = self.f
        if f["blocks"]:
            return self.block_moments(x)
        if f["mask"]:
            return self.masked_moments(x)
        shape = x.shape
        source = x if f["rows"] is None else x[: f["rows"]]
        v = source.reshape(f["view"] if f["rows"] is None else (f["rows"],) + tuple(f["view"][1:]))
        mean = v.mean(f["mean_axes"], keepdim=True)
        if f["mean_factor"]:
            mean = mean * f["mean_factor"](math.prod(v.shape[a] for a in f["mean_axes"]))
        mean = self.q("mean", mean)
        if f["one_pass"]:
            # Always in float32, as in the kernels that have this fault.
            w = v.to(torch.float32)
            e = w.mean(f["mean_axes"], keepdim=True)
            var = ((w * w).mean(f["mean_axes"], keepdim=True) - e * e).clamp(min=0).to(v.dtype)
        else:
            var = self.steps(v, mean)
        if f["rows"] is None:
            full = f["view"]
        else:
            full = (x.shape[0],) + tuple(f["view"][1:])
        spread = lambda s: s.expand(full).reshape(shape)
        return spread(mean), spread(var)

    def corrected(self, variance, count):
        """A variance over n as a user's call makes it, with n the count that the call sees."""
        factor = self.f["factor"]
        if factor is None:
            return variance
        return variance * (factor(count) if isinstance(count, int) else count.apply_(factor))

    def steps(self, v, mean):
        f = self.f
        deviation = False
        for index, (kind, axes) in enumerate(f["steps"]):
            if kind == "mean":
                v = v.mean(axes, keepdim=True)
                continue
            centre = v.mean(axes, keepdim=True)
            if index == 0 and f["about_zero"]:
                centre = centre * 0
            elif index == 0 and f["mean_factor"] and axes == f["mean_axes"]:
                centre = mean
            if kind == "abs":
                count = math.prod(v.shape[a] for a in axes)
                v = (v - centre).abs().mean(axes, keepdim=True)
                v = self.corrected(v, count)
                deviation = True
                continue
            square = self.q("square", (v - centre) ** 2)
            count = math.prod(v.shape[a] for a in axes)
            v = self.corrected(self.q("variance", square.mean(axes, keepdim=True)), count)
            if kind == "std":
                v = v.sqrt()
                deviation = True
        return v**2 if deviation else v

    def masked_moments(self, x):
        f = self.f
        axes = f["mean_axes"]
        m = self.mask.expand(x.shape)
        if f["mask"] == "filled":
            y = x * m
            mean = y.mean(axes, keepdim=True)
            return mean.expand(x.shape), ((y - mean) ** 2).mean(axes, keepdim=True).expand(x.shape)
        n = m.sum(axes, keepdim=True)
        mean = (x * m).sum(axes, keepdim=True) / n
        var = ((x - mean) ** 2 * m).sum(axes, keepdim=True) / n
        return mean.expand(x.shape), self.corrected(var, n.clone()).expand(x.shape)

    def block_moments(self, x):
        way, sizes = self.f["blocks"]
        axes = self.f["mean_axes"]
        parts = x.split(sizes)
        means = [p.mean(axes, keepdim=True) for p in parts]
        count = lambda p: math.prod(p.shape[a] for a in axes)
        variances = [
            self.corrected(((p - m) ** 2).mean(axes, keepdim=True), count(p))
            for p, m in zip(parts, means)]
        if way == "own":
            grow = lambda values: torch.cat([v.expand(p.shape) for v, p in zip(values, parts)])
            return grow(means), grow(variances)
        whole = x.mean(axes, keepdim=True)
        average = lambda values: sum(values) / len(values)
        mean = average(means) if way == "averaged" else whole
        var = average(variances)
        if way == "deviations":
            var = average([v.sqrt() for v in variances]) ** 2
        return mean.expand(x.shape), var.expand(x.shape)

    def buffers(self):
        """Running statistics, as they are or as another rule would have made them."""
        mean, var = self.running
        change = self.f["buffers"]
        if change is None:
            return mean, var
        kind, value = change
        if kind == "initial":
            return torch.zeros_like(mean), torch.ones_like(var)
        if kind == "times":
            return mean * value, var * value
        if kind == "times-variance":
            return mean, var * value
        if kind == "times-mean":
            return mean * value, var
        if kind == "deviation":
            return mean, var**2
        return self.replay(**value)

    def replay(self, momentum=None, biased=False, way="usual"):
        layer = self.layer
        axes = [a for a in range(len(layer.shape)) if a != 1]
        batches = layer.history.to(self.dtype)
        c = layer.shape[1]
        if way == "pooled":
            all_axes = [a for a in range(batches.dim()) if a != 2]
            return batches.mean(all_axes), batches.var(all_axes, correction=0 if biased else 1)
        mean, var = torch.zeros(c, dtype=self.dtype), torch.ones(c, dtype=self.dtype)
        for step, batch in enumerate(batches):
            m = layer.momentum if momentum is None else momentum
            if way == "cumulative" or m is None:
                m = 1 / (step + 1)
            if way == "last":
                m = 1.0
            mean = (1 - m) * mean + m * batch.mean(axes)
            var = (1 - m) * var + m * batch.var(axes, correction=0 if biased else 1)
        return mean, var

    def updated(self, x):
        """Running statistics after a call with this batch."""
        f = self.f
        mean, var = self.running
        own, spread = self.moments(x)
        axes = [a for a in range(x.dim()) if a != 1]
        pick = lambda s: s.mean(axes)
        n = self.layer.count
        factor = n / (n - 1) if f["update_factor"] is None else f["update_factor"]
        m = 1 / (self.tracked + 1) if f["momentum"] is None else f["momentum"]
        return (1 - m) * mean + m * pick(own), (1 - m) * var + m * factor * pick(spread)

    # The result

    def __call__(self):
        layer, f = self.layer, self.f
        x = layer.x.to(self.dtype)
        if f["replaced"] is not None:
            return f["replaced"](x)
        if f["before"] == "relu":
            x = x.clamp(min=0)
        if f["before"] == "no-shift":
            x = x - layer.broadcast(layer.preceding.to(self.dtype))
        if f["before"] == "affine":
            x = self.affine(x, "both")
        if layer.compare != "output":
            return self.updated(x)[0 if layer.compare == "running_mean" else 1]
        if f["source"] == "batch":
            mean, var = self.moments(x)
        else:
            mean, var = self.buffers() if f["source"] == "running" else self.updated(x)
            mean, var = layer.broadcast(mean), layer.broadcast(var)
        y = x - mean if f["centred"] else x
        y = self.q("normalized", self.divided(y, var)) * f["times"]
        y = self.affine(y, f["affine"])
        if f["after"] == "relu":
            y = y.clamp(min=0)
        if f["after"] == "shift":
            y = y + layer.broadcast(layer.preceding.to(self.dtype))
        if f["after"] == "input":
            y = y + x
        if f["mask"] == "zeroed":
            y = y * self.mask
        return self.q("result", y)

    def divided(self, y, var):
        f, eps = self.f, self.f["eps"]
        placement = f["placement"]
        if placement == "inside":
            d = (var + eps).sqrt()
        elif placement == "outside":
            d = var.sqrt() + eps
        elif placement == "larger":
            d = var.clamp(min=eps).sqrt()
        elif placement == "larger-deviation":
            d = var.sqrt().clamp(min=eps)
        elif placement == "both":
            d = (var + eps).sqrt() + eps
        elif placement == "sum":
            d = (var + eps / self.layer.count).sqrt()
        if f["divisor"] == "variance":
            d = d**2
        elif f["divisor"] == "reciprocal":
            d = 1 / d
        elif f["divisor"] == "one":
            d = torch.ones_like(d)
        if "rstd" in f["quantize"]:
            return y * self.q("rstd", 1 / d)
        return y / d

    def affine(self, y, way):
        layer = self.layer
        ones = torch.ones(layer.parameter_shape, dtype=self.dtype)
        w = ones if self.weight is None else self.weight
        b = ones * 0 if self.bias is None else self.bias
        kind, value = way if isinstance(way, tuple) else (way, None)
        if kind == "along":
            shape = [1] * y.dim()
            shape[value] = y.shape[value]
            return y * w.reshape(shape) + b.reshape(shape)
        if kind == "order":
            w, b = w.flatten()[value].reshape(w.shape), b.flatten()[value].reshape(b.shape)
        table = {
            "both": (w, b), "order": (w, b), "none": (ones, b * 0), "weight": (w, b * 0),
            "bias": (ones, b), "plus": (1 + w, b), "minus": (w - 1, b), "twice": (w * w, b),
            "divided": (1 / w, b), "exchanged": (b, w), "minus-bias": (w, -b),
            "bias-first": (w, w * b), "absolute": (w.abs(), b),
        }
        w, b = table[kind]
        return y * layer.broadcast(w) + layer.broadcast(b)


def compute(layer, fields, dtype=torch.float64):
    with torch.no_grad():
        return Formula(layer, fields, dtype)()


def half_steps(layer, narrow):
    """The formula as eager code in a half type runs it: every step is rounded."""
    with torch.no_grad():
        return Formula(layer, right(layer), narrow)().to(torch.float64)


def gap(a, b):
    return float((a.to(torch.float64) - b.to(torch.float64)).abs().max())
