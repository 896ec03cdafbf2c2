"""Captures the normalization layers of a Keras 3 or Flax NNX network for `norma doctor`.

    from norma_capture_numpy import capture
    capture(model, x, "mine.safetensors")           # x: a typical batch, ideally 64 samples or more
    $ norma doctor mine.safetensors

Additional facts make the diagnosis more certain:

    capture(model, x, "mine.safetensors", batches=3000, batch_size=64, data="use", shuffled=True)
    capture(model, x_of_training, "train.safetensors", data="training")
    $ norma doctor mine.safetensors --train train.safetensors

    capture(model, x, path, call=lambda model, x: model(x, mask=None))   # any other call

The network runs without compilation in evaluation mode: unchanged, with all batch norms normalizing with the
batch, and with only one of them doing so. capture() leaves variables, modes and methods unchanged, and checks
that. Keras runs on any of its back ends. Unlike norma_capture.py for PyTorch, this does not try other epsilons,
so a wrong epsilon is found in fewer cases.

This file needs NumPy and Keras or Flax, and may be copied into any project. Nothing leaves your machine: the
result contains a few samples of each layer's input and output, statistics, and the layers' parameters.
"""
import contextlib
import json
import math
import os
import struct
import sys

import numpy as np

# The parts of a layer's input and output, and of results, that are kept; and the number of parts with moments.
SAMPLES, VALUES, MOST_VALUES, PARTS = 16, 65536, 1 << 20, 1024


def capture(model, x, path, call=None, batches=None, batch_size=None, data=None, shuffled=None, alone=24,
            quiet=False):
    """Runs `model` on the batch `x` and writes a capture of its normalization layers to `path`.

    call        call(model, x) runs the network; by default model(x, training=False) for Keras, or model(x) for
                Flax, where a tuple or a dictionary contains several arguments
    batches     the number of batches that the network was trained on
    batch_size  the number of samples in each of them
    data        "training" if x is data that the network was trained on, "use" if it is not
    shuffled    whether x mixes the data (classes, sources) as in training
    alone       the largest number of batch norms that are tried alone, in the order of their calls
    quiet       print nothing
    """
    if data not in (None, "training", "use"):
        raise ValueError('capture: data is "training", "use" or None, not %r' % (data,))
    job = _Capture(_framework(model), model, x, call)
    about, tensors = job.run(alone)
    about["facts"] = dict(batches=batches, batch_size=batch_size, data=data, shuffled=shuffled)
    _write(str(path), tensors, {"format": "norma.capture", "version": "1", "capture": json.dumps(about)})
    if not quiet:
        print("%s: %d normalization layers, %d passes, %.1f MB" % (
            path, len(job.layers), job.passes, os.path.getsize(path) / 1e6), file=sys.stderr)
        for note in about["notes"]:
            print("  note: " + note, file=sys.stderr)


# ---- Frameworks -------------------------------------------------------------------------------------------------

class _Layer:
    """A normalization layer in the terms of the format: PyTorch's."""

    def __init__(self, module, name, kind, eps, axes, **options):
        self.module, self.name, self.family, self.axes = module, name, kind, axes
        self.options = dict(options, eps=eps)
        self.tensors, self.calls, self.shape, self.dtype = {}, 0, None, None
        self.before = self.after = self.count = None

    @property
    def is_batch(self):
        return self.family == "BatchNorm"

    def kind(self):
        if self.family in ("BatchNorm", "InstanceNorm") and self.shape:
            return "%s%dd" % (self.family, max(1, len(self.shape) - 2))
        return self.family

    def meet(self, x):
        """Determines from the first input what only its shape shows."""
        self.shape, self.dtype = list(self.turned(x).shape), str(x.dtype)
        if self.family == "GroupNorm":
            self.options["num_channels"] = self.shape[1]
        if self.family in ("LayerNorm", "RMSNorm"):
            axes = sorted(a % x.ndim for a in self.axes)
            if axes == list(range(x.ndim - len(axes), x.ndim)):
                self.options["normalized_shape"] = [x.shape[a] for a in axes]
            else:
                self.family = "custom"                  # over axes that torch.nn's layers do not know
                self.options["axes"] = axes

    def turned(self, x):
        """With the channels as axis 1."""
        return np.moveaxis(x, self.axes[0], 1) if self.family in ("BatchNorm", "InstanceNorm", "GroupNorm") else x

    def corner(self, x):
        """The part of an input or output that is kept: complete statistics of a few samples."""
        x = self.turned(x)
        few = min(SAMPLES, x.shape[0])
        if self.is_batch:
            n, *rest = _fit([few, *x.shape[2:]], VALUES // x.shape[1])
            sizes = [n, x.shape[1], *rest]
        elif self.family in ("LayerNorm", "RMSNorm"):
            own = self.options["normalized_shape"]
            sizes = _fit([few, *x.shape[1:x.ndim - len(own)]], VALUES // max(1, math.prod(own))) + list(own)
        elif self.family in ("GroupNorm", "InstanceNorm"):
            groups = self.options.get("num_groups", x.shape[1])
            n, g = _fit([few, groups], VALUES * groups // max(1, math.prod(x.shape[1:])))
            sizes = [n, g * (x.shape[1] // groups), *x.shape[2:]]
        else:
            sizes = _fit([few], VALUES // max(1, math.prod(x.shape[1:]))) + list(x.shape[1:])
        x = x[tuple(slice(0, size) for size in sizes)]
        return x.copy() if 0 < x.size <= MOST_VALUES else None

    def with_batch(self, x):
        """A batch norm's output with the statistics of `x`, computed in float64."""
        axis = self.axes[0] % x.ndim
        others = tuple(a for a in range(x.ndim) if a != axis)
        shape = [1] * x.ndim
        shape[axis] = -1
        wide = x.astype(np.float64)
        y = (wide - wide.mean(others, keepdims=True)) / np.sqrt(wide.var(others, keepdims=True) + self.options["eps"])
        weight, bias = (self.tensors.get(k) for k in ("weight", "bias"))
        y = y if weight is None else y * weight.astype(np.float64).reshape(shape)
        return y if bias is None else y + bias.astype(np.float64).reshape(shape)


def _fit(sizes, room):
    """The first part of every axis: the last axes completely, as far as there is room."""
    kept = []
    for size in reversed(sizes):
        kept.insert(0, max(1, min(size, room)))
        room //= kept[0]
    return kept


def _framework(model):
    keras, flax = sys.modules.get("keras"), sys.modules.get("flax.nnx")
    if keras is not None and isinstance(model, keras.layers.Layer):
        return _Keras(keras)
    if flax is not None and isinstance(model, flax.Module):
        return _Flax(flax)
    raise TypeError("capture: %s is no Keras 3 layer and no Flax NNX module; norma_capture.py is for PyTorch"
                    % type(model).__name__)


class _Keras:
    method, rate = "call", "rate"

    def __init__(self, keras):
        self.keras = keras
        self.name = "keras %s, %s" % (keras.__version__, keras.backend.backend())

    def modules(self, model):
        """Pairs (name, layer) of all layers, and whether a layer holds others."""
        found = list(model._flatten_layers(include_self=True, recursive=True))
        return [((layer.path or layer.name).replace("/", "."), layer,
                 len(list(layer._flatten_layers(include_self=False))) > 0) for layer in found]

    def layer(self, m, name):
        kinds = self.keras.layers
        get = lambda key: getattr(m, key, None)
        if isinstance(m, kinds.BatchNormalization):
            found = _Layer(m, name, "BatchNorm", m.epsilon, [m.axis], momentum=1 - m.momentum)
        elif isinstance(m, kinds.GroupNormalization):
            found = _Layer(m, name, "GroupNorm", m.epsilon, [m.axis], num_groups=m.groups)
        elif isinstance(m, kinds.LayerNormalization) or isinstance(m, getattr(kinds, "RMSNormalization", ())):
            is_rms = get("rms_scaling") or not isinstance(m, kinds.LayerNormalization)
            axes = list(m.axis) if isinstance(m.axis, (list, tuple)) else [m.axis]
            found = _Layer(m, name, "RMSNorm" if is_rms else "LayerNorm", m.epsilon, axes)
        else:
            return None
        weight = get("gamma") if hasattr(m, "gamma") else get("scale")
        for key, value in (("weight", weight), ("bias", get("beta")), ("running_mean", get("moving_mean")),
                           ("running_var", get("moving_variance"))):
            if value is not None and hasattr(value, "shape"):
                found.tensors[key] = self.array(value)
        return found

    def array(self, value):
        return np.asarray(self.keras.ops.convert_to_numpy(value))

    def is_array(self, value):
        return self.keras.ops.is_tensor(value) or isinstance(value, np.ndarray)

    def like(self, array, value):
        return self.keras.ops.cast(self.keras.ops.convert_to_tensor(array.astype(np.float32)), value.dtype)

    def is_training(self, model):
        return False                                    # an argument of the call, not state

    @contextlib.contextmanager
    def evaluating(self, model):
        yield

    def run(self, model, x):
        return model(x, training=False)

    def state(self, model):
        return {v.path + "#%d" % i: self.array(v) for i, v in enumerate(model.variables)}

    def restore(self, model, state):
        for variable, value in zip(model.variables, state.values()):
            variable.assign(value)


class _Flax:
    method, rate = "__call__", "rate"
    MODES = ("deterministic", "use_running_average")

    def __init__(self, nnx):
        import flax
        self.nnx, self.name = nnx, "flax " + flax.__version__

    def modules(self, model):
        found = [(".".join(map(str, path)), m) for path, m in self.nnx.iter_modules(model)]
        return [(name, m, any(True for _ in self.nnx.iter_children(m))) for name, m in found]

    def layer(self, m, name):
        nnx = self.nnx
        if isinstance(m, nnx.BatchNorm) and isinstance(m.axis, int):
            found = _Layer(m, name, "BatchNorm", m.epsilon, [m.axis], momentum=1 - m.momentum)
        elif isinstance(m, (nnx.LayerNorm, nnx.RMSNorm)) and m.reduction_axes == m.feature_axes:
            axes = [m.reduction_axes] if isinstance(m.reduction_axes, int) else list(m.reduction_axes)
            found = _Layer(m, name, "LayerNorm" if isinstance(m, nnx.LayerNorm) else "RMSNorm", m.epsilon, axes)
        elif isinstance(m, nnx.GroupNorm) and m.reduction_axes is None:
            found = _Layer(m, name, "GroupNorm", m.epsilon, [-1], num_groups=m.num_groups)
        elif isinstance(m, nnx.InstanceNorm) and isinstance(m.feature_axes, int):
            found = _Layer(m, name, "InstanceNorm", m.epsilon, [m.feature_axes])
        elif isinstance(m, (nnx.BatchNorm, nnx.LayerNorm, nnx.RMSNorm, nnx.GroupNorm)):
            found = _Layer(m, name, "custom", m.epsilon, [])
        else:
            return None
        for key, own in (("weight", "scale"), ("bias", "bias"), ("running_mean", "mean"), ("running_var", "var")):
            if getattr(m, own, None) is not None:
                found.tensors[key] = self.array(getattr(m, own))
        return found

    def array(self, value):
        return np.asarray(value[...] if isinstance(value, self.nnx.Variable) else value)

    def is_array(self, value):
        return hasattr(value, "dtype") and hasattr(value, "shape")

    def like(self, array, value):
        import jax.numpy as jnp
        return jnp.asarray(array.astype(np.float32)).astype(value.dtype)

    def is_training(self, model):
        return any(getattr(m, key, True) is False for _, m, _ in self.modules(model) for key in self.MODES)

    @contextlib.contextmanager
    def evaluating(self, model):
        were = [(m, key, getattr(m, key)) for _, m, _ in self.modules(model) for key in self.MODES if hasattr(m, key)]
        try:
            model.eval()
            yield
        finally:
            for m, key, value in were:
                setattr(m, key, value)

    def run(self, model, x):
        if isinstance(x, dict):
            return model(**x)
        return model(*x) if isinstance(x, (tuple, list)) else model(x)

    def _leaves(self, model):
        import jax
        return jax.tree_util.tree_flatten_with_path(self.nnx.state(model))[0]

    def state(self, model):
        import jax
        return {jax.tree_util.keystr(path): np.array(jax.random.key_data(v) if jax.dtypes.issubdtype(
            v.dtype, jax.dtypes.prng_key) else v) for path, v in self._leaves(model)}

    def restore(self, model, state):
        pass                                            # nothing is written in evaluation, which is checked


# ---- The passes -------------------------------------------------------------------------------------------------

class _Capture:
    def __init__(self, framework, model, x, call):
        self.framework, self.model, self.x, self.call = framework, model, x, call
        self.passes, self.notes, self.modules, self.tensors = 0, [], [], {}
        self.names, self.leaves, self.found, self.others = {}, [], {}, {}
        taken = {}
        for name, module, has_children in framework.modules(model):
            if id(module) in self.names:
                self.others.setdefault(id(module), []).append(name)
                continue
            taken[name] = taken.get(name, 0) + 1
            self.names[id(module)] = name = name if taken[name] == 1 else "%s_%d" % (name, taken[name])
            layer = framework.layer(module, name)
            if layer is not None:
                self.found[id(module)] = layer
            if layer is not None or not has_children:
                self.leaves.append(module)
        if not self.found:
            raise ValueError("capture: no normalization layer found")
        self.layers = []

    def run(self, alone):
        framework, model = self.framework, self.model
        before, training = framework.state(model), framework.is_training(model)
        with framework.evaluating(model):
            self._keep("result", self._pass("eval", []))
            self.layers += [layer for layer in self.found.values() if layer.calls == 0]
            norms = [layer for layer in self.layers if layer.is_batch and layer.calls]
            if any(layer.count < 2 for layer in norms):
                self.notes.append("a batch norm saw one value per channel, so nothing was run with the batch's "
                                  "statistics; pass more samples")
            elif norms:
                self._keep("result/batch", self._pass("batch", norms))
                if len(norms) > alone:
                    self.notes.append("of %d batch norms, the first %d were tried alone" % (len(norms), alone))
                for layer in norms[:alone]:
                    self._keep("result/alone/" + layer.name, self._pass(None, [layer]))
        for layer in self.layers:
            for key, value in layer.tensors.items():
                self._keep("layer/%s/%s" % (layer.name, key), value)
        self._check(before)
        samples = next((len(a) for a in self._arrays(self.x) if a.ndim), None)
        return {
            "framework": framework.name, "model": type(model).__name__, "samples": samples, "training": training,
            "autocast": None, "modules": self.modules[:10000], "probes": [], "notes": self.notes,
            "layers": [self._about(layer) for layer in self.layers]}, self.tensors

    def _about(self, layer):
        kind = type(layer.module)
        return {"name": layer.name, "kind": layer.kind(), "class": "%s.%s" % (kind.__module__, kind.__qualname__),
                "calls": layer.calls, "options": layer.options, "training": False, "shape": layer.shape,
                "dtype": layer.dtype, "shared_with": self.others.get(id(layer.module), []),
                "before": layer.before, "after": layer.after}

    def _check(self, before):
        now = self.framework.state(self.model)
        changed = [k for k in before if k not in now or before[k].tobytes() != now[k].tobytes()]
        if changed:
            self.framework.restore(self.model, before)
            raise RuntimeError("capture: running the model changed " + ", ".join(changed[:5]))

    def _pass(self, place, with_batch):
        """Runs the network once; returns the kept part of its result. Moments go to `place`, if there is one."""
        self.passes += 1
        framework, swapped, seen, busy = self.framework, {id(l.module) for l in with_batch}, {}, set()
        last = {"module": None, "out": None}

        def watched(original, module, args, kwargs):
            layer = self.found.get(id(module))
            if id(module) in busy or id(module) not in self.names:
                return original(module, *args, **kwargs)
            busy.add(id(module))
            try:
                x = next(self._values([args, kwargs]), None)
                if place == "eval":
                    self._follow(module, layer, x, last)
                values = framework.array(x) if layer is not None and x is not None else None
                if id(module) in swapped:
                    y = framework.like(layer.with_batch(values), original(module, *args, **kwargs))
                else:
                    y = original(module, *args, **kwargs)
                last.update(module=module, out=y)
                if place and values is not None:
                    self._look(layer, values, framework.array(y), place, seen)
                return y
            finally:
                busy.discard(id(module))

        with _patched({type(m) for m in self.leaves}, framework.method, watched):
            y = self.call(self.model, self.x) if self.call else framework.run(self.model, self.x)
        y = next(self._arrays(y), None)
        return None if y is None or y.size == 0 else y.reshape(-1)[::-(-y.size // VALUES)].astype(np.float32)

    def _follow(self, module, layer, x, last):
        """Records which modules are called, and which arrays go directly from one to the next."""
        about = self._module(module)
        if about not in self.modules:
            self.modules.append(about)
        if last["module"] is None:
            return
        direct = x is not None and last["out"] is x
        ahead = self.found.get(id(last["module"]))
        if ahead is not None and ahead.after is None:
            ahead.after = dict(about, direct=direct)
        if layer is not None and layer.calls == 0:
            layer.before = dict(self._module(last["module"]), direct=direct)

    def _module(self, module):
        about = {"kind": type(module).__name__, "name": self.names[id(module)]}
        if isinstance(getattr(module, self.framework.rate, None), (int, float)):
            about["p"] = module.rate
        if hasattr(module, "use_bias"):
            about["bias"] = bool(module.use_bias)
        return about

    def _look(self, layer, x, y, place, seen):
        key = "layer/%s" % layer.name
        if place == "eval":
            layer.calls += 1
            if layer.calls == 1:
                layer.meet(x)
                self.layers.append(layer)
                self._keep(key + "/x", layer.corner(x))
                self._keep(key + "/y", layer.corner(y))
        if not layer.is_batch or x.ndim < 2 or x.size == 0:
            return
        x, y = layer.turned(x), layer.turned(y)
        moments, top = _moments(x), y.swapaxes(0, 1).reshape(x.shape[1], -1).max(1)
        if layer in seen:                               # a layer that is called several times
            moments = _merged(seen[layer][0], moments)
            top = np.maximum(seen[layer][1], top)
        seen[layer] = moments, top
        count, mean, m2 = moments
        layer.count = count.sum()
        center = (count[:, None] * mean).sum(0) / count.sum()
        center = np.where(np.isfinite(center), center, 0)
        for name, value in (("count", count), ("mean", mean - center), ("m2", m2), ("top", top)):
            self._keep("%s/%s/%s" % (key, place, name), value.astype(np.float32))
        self._keep("%s/%s/center" % (key, place), center)

    def _keep(self, key, value):
        if value is not None:
            self.tensors[key] = np.ascontiguousarray(value)

    def _values(self, value):
        """The arrays in arguments or a result, floating-point ones first."""
        found = list(self._all(value))
        return iter(sorted(found, key=lambda v: "float" not in str(v.dtype)))

    def _arrays(self, value):
        return (self.framework.array(v) for v in self._values(value))

    def _all(self, value):
        if self.framework.is_array(value):
            yield value
        else:
            value = list(value.values()) if isinstance(value, dict) else value
            for part in value if isinstance(value, (list, tuple)) else ():
                yield from self._all(part)


@contextlib.contextmanager
def _patched(classes, method, watched):
    """Inside, calls of these classes' instances go through `watched(original, instance, args, kwargs)`."""
    undo = []
    try:
        for cls in classes:
            original = getattr(cls, method)
            undo.append((cls, vars(cls).get(method)))

            def patch(self, *args, _original=original, **kwargs):
                return watched(_original, self, args, kwargs)
            setattr(cls, method, patch)
        yield
    finally:
        for cls, own in undo:
            setattr(cls, method, own) if own is not None else delattr(cls, method)


# ---- Moments and the file ---------------------------------------------------------------------------------------

def _moments(x):
    """Count, mean and sum of squared distances of every sample (rows) and channel (columns), in float64."""
    size = -(-len(x) // PARTS)
    parts = [x[i:i + size] for i in range(0, len(x), size)]
    means, squares = [], []
    for part in parts:
        rows = part.swapaxes(0, 1).reshape(x.shape[1], -1).astype(np.float64)
        means.append(rows.mean(1))
        squares.append(np.square(rows - means[-1][:, None]).sum(1))
    count = np.array([part.size / x.shape[1] for part in parts])
    return count, np.stack(means), np.stack(squares)


def _merged(a, b):
    """Sample by sample if both have the same number; otherwise concatenated."""
    if len(a[0]) != len(b[0]):
        return tuple(np.concatenate(p) for p in zip(a, b))
    count, way = a[0] + b[0], b[1] - a[1]
    share = (b[0] / count)[:, None]
    return count, a[1] + way * share, a[2] + b[2] + np.square(way) * share * a[0][:, None]


def _write(path, tensors, metadata):
    """A safetensors file: tensors of wide types first, which keeps all of them aligned."""
    types = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64",
             "int32": "I32", "uint8": "U8", "int8": "I8", "bool": "BOOL"}
    tensors = {k: v if str(v.dtype) in types else v.astype(np.float32) for k, v in tensors.items()}
    order = sorted(tensors, key=lambda k: (-tensors[k].itemsize, k))
    header, at = {"__metadata__": metadata}, 0
    for key in order:
        t = tensors[key]
        header[key] = {"dtype": types[str(t.dtype)], "shape": list(t.shape), "data_offsets": [at, at + t.nbytes]}
        at += t.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for key in order:
            file.write(tensors[key].tobytes())
    os.replace(path + ".part", path)


if __name__ == "__main__":
    print(__doc__)
