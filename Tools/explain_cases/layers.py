"""Normalization layers of torch.nn with data that resemble what people feed them."""

import dataclasses
import math

import torch

BATCH = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d")
INSTANCE = ("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")
KINDS = BATCH + INSTANCE + ("LayerNorm", "GroupNorm", "RMSNorm")
TYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


@dataclasses.dataclass
class Layer:
    """A layer, its input and what else is known about it."""

    kind: str
    options: dict
    training: bool
    dtype: torch.dtype
    x: torch.Tensor
    module: torch.nn.Module = None
    history: torch.Tensor = None
    mask: torch.Tensor = None
    mask_axes: list = None
    preceding: torch.Tensor = None
    blocks: list = None
    compare: str = "output"

    @property
    def shape(self):
        return tuple(self.x.shape)

    @property
    def state(self):
        return {name: value.clone() for name, value in self.module.state_dict().items()}

    @property
    def is_batch(self):
        return self.kind in BATCH

    @property
    def is_instance(self):
        return self.kind in INSTANCE

    @property
    def groups(self):
        return self.options.get("num_groups")

    @property
    def uses_batch(self):
        return self.training or getattr(self.module, "running_mean", None) is None

    @property
    def eps(self):
        eps = getattr(self.module, "eps", None)
        return torch.finfo(self.dtype if self.dtype == torch.float64 else torch.float32).eps if eps is None else eps

    @property
    def momentum(self):
        return getattr(self.module, "momentum", None)

    @property
    def size(self):
        """The number of weights."""
        return math.prod(self.parameter_shape)

    @property
    def parameter_shape(self):
        if self.kind in ("LayerNorm", "RMSNorm"):
            return tuple(self.options["normalized_shape"])
        return (self.x.shape[1],)

    @property
    def parameter_axes(self):
        if self.kind in ("LayerNorm", "RMSNorm"):
            rank = len(self.shape)
            return list(range(rank - len(self.parameter_shape), rank))
        return [1]

    @property
    def view(self):
        """The shape in which statistics have axes of their own."""
        if self.kind == "GroupNorm":
            n, c = self.shape[:2]
            return (n, self.groups, c // self.groups) + self.shape[2:]
        return self.shape

    @property
    def axes(self):
        rank = len(self.shape)
        if self.is_batch:
            return [a for a in range(rank) if a != 1]
        if self.is_instance:
            return list(range(2, rank))
        if self.kind == "GroupNorm":
            return list(range(2, rank + 1))
        return self.parameter_axes

    @property
    def count(self):
        return math.prod(self.view[a] for a in self.axes)

    def broadcast(self, values):
        """A tensor along the parameters' axes that broadcasts to the input."""
        shape = [1] * len(self.shape)
        for axis, size in zip(self.parameter_axes, self.parameter_shape):
            shape[axis] = size
        return values.reshape(shape)

    def call(self):
        """What the layer makes of its input: a result or, in training, the buffer that is compared."""
        module = self.module
        before = self.state
        with torch.no_grad():
            result = module(self.x)
        after = self.state
        module.load_state_dict(before)
        return result if self.compare == "output" else after[self.compare]


def choose(r, *items, p=None):
    return items[r.choice(len(items), p=p)]


def shape_of(r, kind):
    """An input's shape; one in four has an axis of length 1."""
    one = r.random() < 0.25
    n = int(r.integers(2, 9))
    c = int(choose(r, 2, 3, 4, 6, 8, 12, 16))
    side = lambda: int(r.integers(3, 9))
    if kind == "GroupNorm":
        c = int(choose(r, 4, 6, 8, 12, 16, 24))
        inner = choose(r, [], [side()], [side(), side()], [side(), side()], [4, 4, 3])
        if one:
            n, inner = choose(r, (1, inner), (n, [1]), (n, [1, 1]), (1, [side(), side()]))
        return [n, c] + list(inner)
    if kind in ("LayerNorm", "RMSNorm"):
        d = int(choose(r, 6, 8, 12, 16, 24, 32, 48, 64, 96))
        if one:
            return choose(r, [1, d], [1, 1, d], [n, 1, d], [1, int(r.integers(2, 9)), d])
        return choose(
            r, [n, d], [n, side(), d], [n, side(), d], [n, side(), side(), d],
            [n, c, side(), side()])
    dimensions = int(kind[-2])
    inner = [side() for _ in range(dimensions)]
    if kind == "BatchNorm1d":
        n = int(r.integers(4, 33))
        inner = choose(r, [], [side()])
    if dimensions == 3:
        inner = [min(s, 4) for s in inner]
    if one:
        if kind in INSTANCE:
            # An instance norm needs several values in each channel.
            return [1, c] + inner
        spots = choose(r, "batch", "channel", "inner")
        if spots == "batch" and inner:
            n = 1
        elif spots == "channel" and n > 1:
            c = 1
        else:
            n, inner = max(n, 8), [1] * max(1, dimensions)
    return [n, c] + inner


def data(r, g, shape, channel_axis):
    """Values whose channels differ in mean and spread, some with an offset, some badly scaled."""
    x = torch.randn(shape, generator=g, dtype=torch.float64)
    style = r.random()
    if style < 0.15:
        # Neighbours resemble each other.
        for axis in range(2, len(shape)):
            x = (x + 0.8 * x.roll(1, axis)) / 1.3
    elif style < 0.3:
        x = x.clamp(min=-0.3) if style < 0.22 else x * x.abs().sqrt()
    size = [1] * len(shape)
    size[channel_axis] = shape[channel_axis]
    spread = float(choose(r, 0.0, 0.3, 0.7, 1.2))
    scale = torch.exp(spread * torch.randn(size, generator=g, dtype=torch.float64))
    offset = float(choose(r, 0.0, 0.5, 1.0, 2.0, 10.0, p=[0.15, 0.3, 0.3, 0.2, 0.05]))
    mean = offset * torch.randn(size, generator=g, dtype=torch.float64)
    sample = [shape[0]] + [1] * (len(shape) - 1)
    drift = float(choose(r, 0.0, 0.3)) * torch.randn(sample, generator=g, dtype=torch.float64)
    unit = 10.0 ** float(choose(r, 0, 0, 0, 0, -1, -2, -2.5, 1, 2))
    return (x * torch.exp(drift) * scale + mean * scale + drift) * unit, unit


def make_layer(r, g, kind=None, dtype=None, training=None, history=False):
    """A layer with weights that were trained, and its input."""
    kind = kind or choose(r, *KINDS)
    dtype = dtype or choose(
        r, torch.float32, torch.float16, torch.bfloat16, torch.float64, p=[0.7, 0.1, 0.1, 0.1])
    shape = shape_of(r, kind)
    options = {}
    eps = float(choose(r, 1e-5, 1e-3, 1e-6, 1e-8, p=[0.7, 0.12, 0.15, 0.03]))
    tracked = kind in BATCH and r.random() < 0.97
    if kind in BATCH + INSTANCE:
        options["num_features"] = shape[1]
        if kind in INSTANCE:
            options["affine"] = bool(r.random() < 0.6)
            tracked = r.random() < 0.3
            if tracked:
                options["track_running_stats"] = True
        elif not tracked:
            options["track_running_stats"] = False
        if r.random() < 0.25:
            options["momentum"] = float(choose(r, 0.01, 0.03, 0.2, 0.5))
    elif kind == "GroupNorm":
        c = shape[1]
        counts = [k for k in range(1, c + 1) if c % k == 0]
        if math.prod(shape[2:]) == 1:
            counts = [k for k in counts if c // k > 1]
        inner = [k for k in counts if 1 < k < c]
        options["num_groups"] = int(r.choice(inner if inner and r.random() < 0.85 else counts))
        options["num_channels"] = c
    else:
        last = 2 if len(shape) > 2 and r.random() < 0.25 else 1
        options["normalized_shape"] = shape[-last:]
        if math.prod(shape[-last:]) == 1:
            options["normalized_shape"] = shape[-2:]
        if kind == "RMSNorm" and r.random() < 0.4:
            eps = None
    if eps is not None and eps != 1e-5 or kind == "RMSNorm" and eps is not None:
        options["eps"] = eps
    if r.random() < 0.12:
        options["affine" if kind in BATCH + INSTANCE + ("GroupNorm",) else "elementwise_affine"] = False
    if training is None:
        training = bool(r.random() < 0.6) if tracked else True
    if kind in ("LayerNorm", "GroupNorm", "RMSNorm"):
        training = False
    module = getattr(torch.nn, kind)(**options)
    channel_axis = len(shape) - 1 if kind in ("LayerNorm", "RMSNorm") else 1
    x, unit = data(r, g, shape, channel_axis)
    if dtype == torch.float16:
        x = x * min(1.0, 100.0 / float(x.abs().max()))
    with torch.no_grad():
        if getattr(module, "weight", None) is not None and r.random() < 0.9:
            w = 1 + 0.4 * torch.randn(module.weight.shape, generator=g)
            module.weight.copy_(w.sign() * w.abs().clamp(min=0.05))
            if getattr(module, "bias", None) is not None:
                module.bias.copy_(0.5 * torch.randn(module.bias.shape, generator=g))
    layer = Layer(kind, options, training, dtype, x.to(dtype), module.to(dtype))
    if tracked:
        train_buffers(r, g, layer, x, unit, history)
    module.train(training)
    return layer


def train_buffers(r, g, layer, x, unit, history):
    """Running statistics as training leaves them: of batches like the input, or near them."""
    module = layer.module
    shape = list(x.shape)
    if history:
        steps = int(r.integers(3, 13))
        c = [1, shape[1]] + [1] * (len(shape) - 2)
        axes = [a for a in range(len(shape)) if a != 1]
        spread, centre = x.std(axes, keepdim=True, correction=0), x.mean(axes, keepdim=True)
        size = [steps, max(shape[0], 2)] + shape[1:]
        drift = 0.4 * torch.randn([steps, 1, shape[1]] + [1] * (len(shape) - 2), generator=g, dtype=torch.float64)
        batches = (torch.randn(size, generator=g, dtype=torch.float64) + drift) * spread * torch.exp(0.5 * drift) + centre
        layer.history = batches.to(layer.dtype)
        module.train()
        with torch.no_grad():
            for batch in layer.history:
                module(batch)
        return
    with torch.no_grad():
        axes = [a for a in range(len(shape)) if a != 1]
        spread, centre = x.var(axes, correction=0), x.mean(axes)
        near = torch.randn(2, shape[1], generator=g, dtype=torch.float64)
        module.running_var.copy_((spread + 1e-3 * spread.mean() + 1e-12) * torch.exp(0.4 * near[0]))
        module.running_mean.copy_(centre + 0.3 * near[1] * (spread + 1e-12).sqrt())
        module.num_batches_tracked.fill_(int(r.integers(1, 2000)))
