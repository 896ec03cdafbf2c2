"""Captures the normalization layers of a PyTorch network for `norma doctor`.

    from norma_capture import capture
    capture(model, x, "mine.safetensors")           # x: a typical batch, ideally 64 samples or more
    $ norma doctor mine.safetensors

Additional facts make the diagnosis more certain:

    capture(model, x, "mine.safetensors", batches=3000, batch_size=64, data="use", shuffled=True)
    capture(model, x_of_training, "train.safetensors", data="training")
    $ norma doctor mine.safetensors --train train.safetensors

    capture(model, (ids, mask), path)                                  # several arguments: model(ids, mask)
    capture(model, {"input_ids": ids}, path)                           # by name: model(input_ids=ids)
    capture(model, x, path, call=lambda model, x: model.features(x))   # any other call
    capture(model, x, path, custom=("LlamaRMSNorm", MyNorm))           # normalization layers of your own

Compare captures of a port and its original with the same batch: `norma compare a.safetensors b.safetensors`.

The network runs without gradients in evaluation mode: unchanged, with all batch norms normalizing with the
batch, with only one of them doing so, and with other epsilons where these could matter. capture() leaves
parameters, buffers, counters, modes, hooks and random generators unchanged, and checks that.
Norms called as functions (F.batch_norm, F.layer_norm) are not modules and cannot be captured.

This file needs only torch (1.13 or later), and may be copied into any project. Nothing leaves your machine:
the result contains a few samples of each layer's input and output, statistics, and the layers' parameters.
"""
import collections.abc
import contextlib
import ctypes
import functools
import inspect
import json
import math
import os
import random
import struct
import sys
import weakref
import zlib

import torch
from torch import nn

# The parts of a layer's input and output, and of results, that are kept.
SAMPLES, VALUES, MOST_VALUES = 16, 65536, 1 << 20
# The number of parts of a batch with moments of their own: its samples, or runs of neighboring samples.
PARTS, PARTS_OF_PROBES = 1024, 32
# The epsilons of the frameworks, and powers of ten. Keras 2's 1.001e-5 shows as 1e-5.
EPSILONS = (1e-5, 1e-3, 1e-6, 1e-8, 1e-12, 1e-4, 1e-2, 1e-1)
OPTIONS = ("num_features", "num_groups", "num_channels", "normalized_shape", "eps", "momentum",
           "affine", "elementwise_affine", "track_running_stats")

_BATCH = nn.modules.batchnorm._BatchNorm
_INSTANCE = nn.modules.instancenorm._InstanceNorm
_RMS = getattr(nn, "RMSNorm", None)
_KNOWN = tuple(c for c in (_BATCH, _INSTANCE, nn.LayerNorm, nn.GroupNorm, _RMS) if c)


@torch.no_grad()
def capture(model, x, path, call=None, batches=None, batch_size=None, data=None, shuffled=None,
            custom=(), alone=8, probes=12, quiet=False):
    """Runs `model` on the batch `x` and writes a capture of its normalization layers to `path`.

    call        call(model, x) runs the network; by default model(x), model(*x) for a tuple or list, model(**x) for a dict
    batches     the number of batches that the network was trained on
    batch_size  the number of samples in each of them
    data        "training" if x is data that the network was trained on, "use" if it is not
    shuffled    whether x mixes the data (classes, sources) as in training
    custom      additional classes of normalization layers, or their names
    alone       with more batch norms than this, only those that are off are tried alone, at most this many
    probes      the largest number of passes with other epsilons
    quiet       print nothing
    """
    if data not in (None, "training", "use"):
        raise ValueError('capture: data is "training", "use" or None, not %r' % (data,))
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError("capture: a scripted model shows no layers; capture the model it was made from")
    job = _Capture(model, x, call, custom)
    memory = _Memory(job.net)
    try:
        with _Parts(str(path)) as parts:
            passes = job.run(parts, alone, probes)
            about = job.about(dict(batches=batches, batch_size=batch_size, data=data, shuffled=shuffled))
            memory.restore()
            for layer in job.layers:
                for key, value in [*layer.module.named_parameters(), *layer.module.named_buffers()]:
                    parts.add("layer/%s/%s" % (layer.name, key), value)
            parts.finish({"format": "norma.capture", "version": "1", "capture": json.dumps(about)})
    finally:
        memory.restore()
        memory.check()
    if not quiet:
        print("%s: %d normalization layers, %d passes, %.1f MB" % (
            path, len(job.layers), passes, os.path.getsize(path) / 1e6), file=sys.stderr)
        for note in about["notes"]:
            print("  note: " + note, file=sys.stderr)


# ---- Layers and their inputs ------------------------------------------------------------------------------------

class _Layer:
    """A normalization layer, and what was recorded of it."""

    def __init__(self, module, names, is_custom):
        self.module, self.name, self.others = module, names[0], names[1:]
        self.frozen = type(module).__name__ == "FrozenBatchNorm2d"
        known = [c.__name__ for c in type(module).__mro__ if c.__module__.startswith("torch.nn.")]
        self.kind = "custom" if is_custom else "FrozenBatchNorm2d" if self.frozen else known[0].lstrip("_")
        self.is_own = is_custom or not type(module).__module__.startswith("torch.nn.")
        self.is_batch = self.frozen or isinstance(module, _BATCH) and not is_custom
        self.keeps = getattr(module, "running_mean", None) is not None and not is_custom
        self.calls, self.shape, self.dtype = 0, None, None
        self.before = self.after = self.input = self.sums = None

    def options(self):
        if self.kind != "custom":
            found = {k: getattr(self.module, k) for k in OPTIONS if hasattr(self.module, k)}
        else:
            found = {k: v for k, v in vars(self.module).items() if k[0] != "_" and k != "training"}
        found = {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}
        plain = (bool, int, float, str, type(None))
        return {k: v for k, v in found.items() if isinstance(v, plain)
                or isinstance(v, list) and all(isinstance(n, plain) for n in v)}

    def has_one_value(self):
        """Whether the statistics of the batch would be based on a single value."""
        inside = math.prod(self.shape[2:])
        return (inside if isinstance(self.module, _INSTANCE) else inside * self.shape[0]) < 2

    def corner(self, x):
        """The part of an input or output that is kept: complete statistics of a few samples.

        Of batch norms all channels; of layer norms all that is normalized; of group and instance norms whole groups.
        """
        if x.dim() == 0:
            return None
        if self.kind[:12] == "InstanceNorm" and self.kind[-2:] == "%dd" % (x.dim() - 1):
            x = x[None]                                 # a single sample
        few, m = min(SAMPLES, x.shape[0]), self.module
        if self.is_batch and x.dim() > 1:
            n, *rest = _fit([few, *x.shape[2:]], VALUES // x.shape[1])
            sizes = [n, x.shape[1], *rest]
        elif not self.is_own and hasattr(m, "normalized_shape"):
            axes = x.dim() - len(m.normalized_shape)
            if axes == 0:
                x, few, axes = x[None], 1, 1
            own = x.shape[axes:]
            sizes = _fit([few, *x.shape[1:axes]], VALUES // max(1, math.prod(own))) + list(own)
        elif not self.is_own and x.dim() > 1:
            groups = getattr(m, "num_groups", x.shape[1])
            n, g = _fit([few, groups], VALUES * groups // max(1, x[0].numel()))
            sizes = [n, g * (x.shape[1] // groups), *x.shape[2:]]
        else:
            sizes = _fit([few], VALUES // max(1, x[0].numel())) + list(x.shape[1:])
        for axis, size in enumerate(sizes):
            x = x.narrow(axis, 0, size)
        return x.clone() if 0 < x.numel() <= MOST_VALUES else None


def _fit(sizes, room):
    """The first part of every axis: the last axes completely, as far as there is room."""
    kept = []
    for size in reversed(sizes):
        kept.insert(0, max(1, min(size, room)))
        room //= kept[0]
    return kept


class _Moments:
    """Count, mean and sum of squared distances of every sample (rows) and channel (columns), in float64."""

    def __init__(self, count, mean, m2):
        self.count, self.mean, self.m2 = count, mean, m2

    @classmethod
    def of(cls, x):
        if x.device.type == "mps":                      # has no float64
            x = x.cpu()
        samples, channels = x.shape[:2]
        length = x[0, 0].numel() if samples and channels else 0
        # One buffer for all rows: small tensors between large ones that come and go would scatter the heap.
        rows_at_once = max(1, VALUES * 4 // max(1, length))
        buffer = torch.empty((rows_at_once, length), dtype=torch.float64, device=x.device)
        means, squares = torch.empty((2, samples * channels), dtype=torch.float64, device=x.device)
        at = 0
        for some in x.split(max(1, VALUES * 4 // max(1, channels * length))):
            for rows in some.reshape(-1, length).split(rows_at_once):
                z, here = buffer[:len(rows)].copy_(rows), slice(at, at + len(rows))
                torch.mean(z, 1, out=means[here])
                torch.sum(z.sub_(means[here, None]).square_(), 1, out=squares[here])
                at += len(rows)
        shape = (samples, channels)
        count = torch.full((samples,), float(length), dtype=torch.float64, device=x.device)
        return cls(count, means.reshape(shape), squares.reshape(shape))

    def merged(self, other):
        """Sample by sample if both have the same number; otherwise concatenated."""
        if len(self.count) != len(other.count):
            return _Moments(*(torch.cat(p) for p in zip(self, other)))
        count = self.count + other.count
        way, share = other.mean - self.mean, (other.count / count.clamp(min=1))[:, None]
        return _Moments(count, self.mean + way * share,
                        self.m2 + other.m2 + way.square() * share * self.count[:, None])

    def __iter__(self):
        return iter((self.count, self.mean, self.m2))

    def grouped(self, most):
        """Neighboring samples combined, so that there are at most this many."""
        size = -(-len(self.count) // most)
        if size <= 1:
            return self
        groups = [_Moments(*p).pooled() for p in zip(*(v.split(size) for v in self))]
        return _Moments(torch.stack([g.count for g in groups]), *(
            torch.stack([getattr(g, k) for g in groups]) for k in ("mean", "m2")))

    def pooled(self):
        count = self.count.sum()
        mean = (self.count[:, None] * self.mean).sum(0) / count
        far = (self.count[:, None] * (self.mean - mean).square()).sum(0)
        return _Moments(count, mean, self.m2.sum(0) + far)


class _Sums:
    """One layer's moments over a batch and its running statistics, which decide which passes are worthwhile."""

    def __init__(self, moments):
        pooled = moments.pooled()
        self.count, self.mean = float(pooled.count), pooled.mean
        self.variance = pooled.m2 / max(self.count - 1, 1)
        samples = len(moments.count)
        squares = moments.m2 / moments.count[:, None].clamp(min=1) + (moments.mean - self.mean).square()
        several = samples > 1
        # The squares of the standard errors of mean and variance, with batches of 32 behind the running ones.
        share = 1 / samples + 0.003
        self.of_mean = share * (moments.mean.var(0) if several else self.variance)
        self.of_variance = share * (squares.var(0) if several else 2 * self.variance.square())

    def judge(self, module):
        """The squared distance of running statistics in standard deviations, and the part that chance explains."""
        mean, variance = (getattr(module, k).to(self.mean) for k in ("running_mean", "running_var"))
        square = self.variance + module.eps
        ratio = ((variance.clamp(min=0) + module.eps) / square).log() / 2
        gaps = ((mean - self.mean).square() + ratio.square() * self.variance) / square
        chances = self.of_mean / square + self.of_variance / (4 * square.square())
        gap, chance = float(gaps.mean()), float(chances.mean())
        odd = bool(((gaps > 1) & (gaps > 25 * chances)).any())
        is_off = not math.isfinite(gap) or gap > 4 * chance and gap - chance > 0.04 or odd
        return gap, chance, is_off and self.count > 1

    def matters(self, module, eps):
        """Whether another epsilon changes the layer's scale by more than 2 %."""
        change = ((self.variance + eps) / (self.variance + module.eps)).log() / 2
        return eps != module.eps and float(change.square().mean()) > 4e-4


# ---- The passes -------------------------------------------------------------------------------------------------

class _Capture:
    def __init__(self, model, x, call, custom):
        self.model, self.notes, prefix = model, [], ""
        net = model
        while isinstance(net, (nn.DataParallel, nn.parallel.DistributedDataParallel)) or hasattr(net, "_orig_mod"):
            inner = "_orig_mod" if hasattr(net, "_orig_mod") else "module"
            self.notes.append("unwrapped from %s; names keep the prefix %s" % (type(net).__name__, inner))
            net, prefix = getattr(net, inner), prefix + inner + "."
        self.net, self.x, self.call = net, x, call
        classes = tuple(c for c in custom if isinstance(c, type))
        named = {c for c in custom if not isinstance(c, type)}
        self.names = {}
        for name, module in net.named_modules(remove_duplicate=False):
            self.names.setdefault(module, []).append((prefix + name).rstrip("."))
        found, unknown = [], set()
        for module, names in self.names.items():
            if any(isinstance(p, nn.parameter.UninitializedTensorMixin) for p in
                   [*module.parameters(recurse=False), *module.buffers(recurse=False)]):
                raise ValueError("capture: %s is lazy and has no parameters yet; run the model once" % names[0])
            is_custom = isinstance(module, classes) or type(module).__name__ in named
            if is_custom or isinstance(module, _KNOWN) or type(module).__name__ == "FrozenBatchNorm2d":
                found.append(_Layer(module, names, is_custom))
            elif "norm" in type(module).__name__.lower() and not module._modules:
                unknown.add(type(module).__name__)
        if not found:
            raise ValueError("capture: no normalization layer found; name classes of your own: custom=(\"MyNorm\",)")
        if unknown:
            self.notes.append("not captured: %s; if these normalize, name them in custom=" % ", ".join(sorted(unknown)))
        self.found, self.layers, self.modules, self.probes = found, [], [], []
        self.autocast, self.passes = None, 0
        self.random = _random()

    def run(self, parts, alone, probes):
        """Runs all passes and returns their number."""
        parts.add("result", self._pass([*self._look(parts, "layer/%s/eval", True), *self._follow()]))
        self.layers += [layer for layer in self.found if layer.calls == 0]
        norms = [layer for layer in self.layers if layer.keeps and layer.sums]
        if not norms:
            return self.passes
        if any(layer.has_one_value() for layer in norms):
            self.notes.append("a batch norm saw one value per channel, so nothing was run with the batch's statistics; "
                              "pass more samples")
            return self.passes
        parts.add("result/batch", self._pass(self._look(parts, "layer/%s/batch"), norms))
        judged = [(layer, *layer.sums.judge(layer.module)) for layer in norms]
        tried = norms
        if len(norms) > alone:
            off = [j for j in judged if j[3]]
            off.sort(key=lambda j: -j[1] if math.isfinite(j[1]) else -math.inf)
            tried = [j[0] for j in off[:alone]]
            self.notes.append("of %d layers with running statistics, %d were tried alone" % (len(norms), len(tried)))
        for layer in tried:
            parts.add("result/alone/" + layer.name, self._pass([], [layer]))
        for group, eps in self._worth_probing(judged)[:probes]:
            key = "probe.%d" % len(self.probes)
            self.probes.append({"key": key, "layers": [layer.name for layer in group], "eps": eps})
            self._pass(self._look(parts, key + "/%s"), norms, {layer: eps for layer in group})
        return self.passes

    def _worth_probing(self, judged):
        """Pairs (layers, epsilon): a wrong epsilon shows in later layers, so those must be off while the first fits."""
        judged = [j for j in judged if j[0].is_batch and not _is_fresh(j[0].module)]
        multiples = [gap / max(chance, 1e-300) for _, gap, chance, _ in judged[1:]]
        # One of them must be beyond chance; with many layers, an accumulation of chance is not a sign.
        if not multiples or judged[0][3] or not sum(max(m - 0.6, 0) for m in multiples) > 0.5 or max(multiples) < 1.1:
            return []
        layers, found = [j[0] for j in judged], []
        groups = [[other for other in layers if other.module.eps == eps]
                  for eps in sorted({layer.module.eps for layer in layers})]
        suspects = [[j[0]] for j in judged[:-1] if not j[3]][:12]
        for group in [g for g in groups if len(g) > 1] + suspects:
            found += [(group, eps) for eps in EPSILONS
                      if any(layer.sums.matters(layer.module, eps) for layer in group)]
        return found

    def _pass(self, handles, with_batch=(), epsilons=None):
        """Runs the network once; returns the kept part of its result."""
        self.passes += 1
        _random(self.random)
        try:
            with _settings(self.net, with_batch, epsilons or {}):
                x = self.x
                if self.call:
                    y = self.call(self.net, x)
                elif isinstance(x, collections.abc.Mapping):
                    y = self.net(**x)
                else:
                    y = self.net(*x) if isinstance(x, (tuple, list)) else self.net(x)
        finally:
            for handle in handles:
                handle.remove()
        y = _first_tensor(y)
        if y is None or y.numel() == 0:
            return None
        return y.detach().reshape(-1)[::-(-y.numel() // VALUES)].float().clone()

    def _look(self, parts, place, is_first=False):
        """Hooks that record the inputs of layers: moments under `place`, and samples in the first pass."""
        seen = set()

        def before(layer, _, args, kwargs=None):
            x = _first_tensor([args, kwargs])
            if is_first and layer.calls == 0 and x is not None:
                layer.shape, layer.dtype = list(x.shape), str(x.dtype).replace("torch.", "")
                self._note_autocast(x.device.type)
                layer.input = layer.corner(x)

        def after(layer, _, args, *rest):
            x, y = _first_tensor([args, *rest[:-1]]), _first_tensor(rest[-1])
            if is_first:
                layer.calls += 1
                if layer.calls == 1:
                    self.layers.append(layer)
                    if layer.input is not None and y is not None:
                        parts.add("layer/%s/x" % layer.name, layer.input)
                        parts.add("layer/%s/y" % layer.name, layer.corner(y))
                    layer.input = None
            if x is None or y is None or not (layer.is_batch or layer.keeps) or x.dim() < 2 or x.numel() == 0:
                return
            key, is_probe = place % layer.name, place.startswith("probe")
            moments = _Moments.of(x).grouped(PARTS_OF_PROBES if is_probe else PARTS)
            top = y.amax([0, *range(2, y.dim())]).float() if y.shape == x.shape else None
            if layer in seen:                           # a shared layer: discard what was written before
                moments = parts.moments(key).merged(moments)
                if top is not None and not is_probe:
                    top = torch.maximum(top, parts.get(key + "/top").to(top))
            seen.add(layer)
            parts.add_moments(key, moments)
            if not is_probe:
                layer.sums = _Sums(moments)
                parts.add(key + "/top", top)

        return [handle for layer in self.found for handle in (
            _hook(layer.module, True, functools.partial(before, layer)), _hook(layer.module, False, functools.partial(after, layer)))]

    def _follow(self):
        """Hooks that record which modules are called, and which tensors go directly from one to the next."""
        norms = {layer.module: layer for layer in self.found}
        last = {"module": None, "out": None, "version": 0}
        seen = set()

        def before(module, _, args, kwargs=None):
            about = self._module(module)
            if module not in seen:
                seen.add(module)
                self.modules.append(about)
            x = _first_tensor([args, kwargs])
            out = last["out"]() if last["out"] else None
            direct = x is not None and out is x and _version(x) == last["version"]
            if last["module"] is not None:
                ahead, behind = norms.get(last["module"]), norms.get(module)
                if ahead is not None and ahead.after is None:
                    ahead.after = dict(about, direct=direct)
                if behind is not None and behind.calls == 0 and behind.before is None:
                    behind.before = dict(self._module(last["module"]), direct=direct)

        def after(module, _, args, *rest):
            y = _first_tensor(rest[-1])
            last.update(module=module, out=weakref.ref(y) if y is not None else None, version=_version(y))

        return [handle for module in self.names if module in norms or not module._modules for handle in (
            _hook(module, True, functools.partial(before, module)), _hook(module, False, functools.partial(after, module)))]

    def _module(self, module):
        about = {"kind": type(module).__name__, "name": self.names[module][0]}
        for key in ("p", "drop_prob"):
            if isinstance(getattr(module, key, None), (int, float)):
                about["p"] = getattr(module, key)
        if "bias" in module._parameters:
            about["bias"] = module._parameters["bias"] is not None
        return about

    def _note_autocast(self, device):
        try:
            on, kind = torch.is_autocast_enabled(device), torch.get_autocast_dtype
        except (TypeError, AttributeError):             # before torch 2.4
            is_cpu = device == "cpu"
            on = torch.is_autocast_cpu_enabled() if is_cpu else torch.is_autocast_enabled()
            kind = lambda _: torch.get_autocast_cpu_dtype() if is_cpu else torch.get_autocast_gpu_dtype()
        if on:
            self.autocast = str(kind(device)).replace("torch.", "")

    def about(self, facts):
        first = _first_tensor(self.x)
        return {
            "framework": "torch " + torch.__version__, "model": type(self.net).__name__,
            "samples": len(first) if first is not None and first.dim() else None,
            "training": self.net.training, "facts": facts, "autocast": self.autocast,
            "layers": [{
                "name": layer.name, "kind": layer.kind,
                "class": type(layer.module).__module__ + "." + type(layer.module).__qualname__,
                "calls": layer.calls, "options": layer.options(), "training": layer.module.training,
                "shape": layer.shape, "dtype": layer.dtype, "shared_with": layer.others,
                "before": layer.before, "after": layer.after} for layer in self.layers],
            "modules": self.modules[:10000], "probes": self.probes, "notes": self.notes}


@contextlib.contextmanager
def _settings(net, with_batch, epsilons):
    """Inside, everything is in evaluation mode, and some layers normalize with the batch or have another epsilon.

    Running statistics are set aside for that: without any, layers take the batch's, and nothing can write to them.
    """
    undo = []

    def put(place, key, value):
        undo.append((place, key, place.get(key, undo)))
        place[key] = value
    try:
        for module in net.modules():
            put(module.__dict__, "training", False)
        for layer in with_batch:
            m = layer.module
            if layer in epsilons:
                put(m.__dict__, "eps", epsilons[layer])
            if layer.frozen:
                put(m.__dict__, "forward", lambda x, m=m: torch.batch_norm(
                    x, m.weight, m.bias, None, None, True, 0.0, m.eps, False))
                continue
            put(m._buffers, "running_mean", None)
            put(m._buffers, "running_var", None)
            if isinstance(m, _INSTANCE):
                put(m.__dict__, "track_running_stats", False)
        yield
    finally:
        for place, key, value in reversed(undo):
            if value is undo:
                del place[key]
            else:
                place[key] = value


# ---- What must not change ---------------------------------------------------------------------------------------

class _Memory:
    """The state of a network: buffers that a pass wrote to are restored, and everything is compared at the end."""

    def __init__(self, net):
        self.net, self.random = net, _random()
        self.copies = {b: b.detach().clone() for b in net.buffers() if _checksum(b) is not None}
        self.was = self._now()

    def _now(self):
        now = {}
        for name, m in self.net.named_modules():
            now[name, "mode, options and hooks"] = (
                m.training, getattr(m, "eps", None), getattr(m, "track_running_stats", None), "forward" in m.__dict__,
                list(m._forward_hooks), list(m._forward_pre_hooks), list(m._parameters), list(m._buffers))
            for key, t in [*m._parameters.items(), *m._buffers.items()]:
                now[name, key] = None if t is None else (id(t), t.requires_grad, id(t.grad) if t.is_leaf else None,
                                                         _checksum(t))
        return now

    def restore(self):
        _random(self.random)
        for buffer, copy in self.copies.items():
            if _checksum(buffer) != _checksum(copy):
                buffer.copy_(copy)

    def check(self):
        now = self._now()
        changed = [".".join(filter(None, key)) for key in {**self.was, **now} if self.was.get(key) != now.get(key)]
        if changed:
            raise RuntimeError("capture: running the model changed " + ", ".join(changed[:5]))


def _checksum(t):
    if type(t) not in (torch.Tensor, nn.Parameter) or t.layout != torch.strided or t.device.type == "meta":
        return None
    checksum = 0
    for some in t.detach().reshape(-1).split(1 << 22):
        some = some.cpu()
        checksum = zlib.crc32(_bytes(some), checksum)
    return checksum


def _random(state=None):
    """The states of the random generators; or sets them."""
    numpy = sys.modules.get("numpy")
    cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
    if state is None:
        return (random.getstate(), torch.get_rng_state(), torch.cuda.get_rng_state_all() if cuda else None,
                numpy.random.get_state() if numpy else None)
    random.setstate(state[0])
    torch.set_rng_state(state[1])
    if state[2] is not None:
        torch.cuda.set_rng_state_all(state[2])
    if state[3] is not None:
        numpy.random.set_state(state[3])


# ---- Small things -----------------------------------------------------------------------------------------------

_WITH_KWARGS = "with_kwargs" in inspect.signature(nn.Module.register_forward_hook).parameters


def _hook(module, is_before, function):
    register = module.register_forward_pre_hook if is_before else module.register_forward_hook
    return register(function, with_kwargs=True) if _WITH_KWARGS else register(function)


def _first_tensor(value):
    """The first floating-point tensor in a result or in arguments; otherwise the first tensor."""
    found = list(_tensors(value))
    return next((t for t in found if t.is_floating_point()), found[0] if found else None)


def _tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, collections.abc.Mapping):
        value = list(value.values())
    elif hasattr(value, "__dataclass_fields__"):
        value = list(vars(value).values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def _version(t):
    return t._version if t is not None and not t.is_inference() else None


def _is_fresh(module):
    return bool((module.running_mean == 0).all() and (module.running_var == 1).all())


def _bytes(t):
    """A CPU tensor's memory as bytes, without NumPy."""
    return (ctypes.c_char * (t.numel() * t.element_size())).from_address(t.data_ptr()) if t.numel() else b""


class _Parts:
    """A safetensors file whose tensors are written as they come; its header, which comes first, is written last."""

    TYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
             torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
             torch.bool: "BOOL"}

    def __init__(self, path):
        if sys.byteorder != "little":
            raise RuntimeError("capture: this machine is big-endian, and safetensors files are little-endian")
        self.path, self.places = path, {}

    def __enter__(self):
        self.data = open(self.path + ".part", "w+b")
        return self

    def __exit__(self, *_):
        self.data.close()
        for name in (self.path + ".part", self.path + ".whole"):
            if os.path.exists(name):
                os.remove(name)

    def add(self, key, t):
        """Writes a tensor; a later tensor with the same key replaces the earlier one."""
        if t is None:
            return
        t = t.detach().cpu().contiguous()
        t = t if t.dtype in self.TYPES else t.float()
        at = self.data.seek(0, os.SEEK_END)
        self.data.write(_bytes(t))
        self.places[key] = (t.dtype, list(t.shape), at, t.numel() * t.element_size())

    def get(self, key):
        kind, shape, at, size = self.places[key]
        self.data.seek(at)
        return torch.frombuffer(bytearray(self.data.read(size)), dtype=kind).reshape(shape)

    def add_moments(self, key, moments):
        center = moments.pooled().mean
        center = torch.where(torch.isfinite(center), center, torch.zeros_like(center))
        self.add(key + "/count", moments.count.float())
        self.add(key + "/center", center)
        self.add(key + "/mean", (moments.mean - center).float())
        self.add(key + "/m2", moments.m2.float())

    def moments(self, key):
        count, center, mean, m2 = (self.get(key + "/" + k).double() for k in ("count", "center", "mean", "m2"))
        return _Moments(count, mean + center, m2)

    def finish(self, metadata):
        """Replaces the file with the header and the tensors, wide types first."""
        order = sorted(self.places, key=lambda k: (-torch.empty(0, dtype=self.places[k][0]).element_size(), k))
        header, at = {"__metadata__": metadata}, 0
        for key in order:
            kind, shape, _, size = self.places[key]
            header[key] = {"dtype": self.TYPES[kind], "shape": shape, "data_offsets": [at, at + size]}
            at += size
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(self.path + ".whole", "wb") as whole:
            whole.write(struct.pack("<Q", len(text)) + text)
            for key in order:
                _, _, at, size = self.places[key]
                self.data.seek(at)
                while size > 0:
                    some = self.data.read(min(size, 1 << 20))
                    whole.write(some)
                    size -= len(some)
        os.replace(self.path + ".whole", self.path)


if __name__ == "__main__":
    print(__doc__)
