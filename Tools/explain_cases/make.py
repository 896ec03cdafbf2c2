"""Draws cases, measures what each mistake is worth and writes the folders."""

import itertools
import json
import math
import random
import shutil

import numpy
import torch
from safetensors.torch import save_file

from . import controls
from .formula import compute, gap, right
from .layers import BATCH, INSTANCE, Layer, choose, make_layer
from .mistakes import catalogue

HALF = (torch.float16, torch.bfloat16)

# How often each cause is drawn first.
CAUSES = {
    "axes": 11, "correction": 12, "epsilon-placement": 8, "epsilon-value": 8, "affine": 11,
    "momentum-convention": 7, "running-vs-batch-statistics": 8, "running-variance-correction": 5,
    "order-of-operations": 7, "group-assignment": 7, "dtype-rounding": 8, "mean-not-subtracted": 8,
    "per-axis-composition": 7, "mask/padding": 4, "other": 13, None: 10,
}


class Unfit(Exception):
    """A draw that makes no fair case."""


def generate(out, count, seed):
    torch.set_num_threads(1)
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    written, draw, tally = 0, 0, {}
    while written < count:
        draw += 1
        r = numpy.random.default_rng([seed, draw])
        g = torch.Generator().manual_seed(seed * 1_000_003 + draw)
        try:
            case = Case(r, g)
        except (Unfit, RuntimeError, ValueError):
            continue
        first = case.causes[0] if case.causes else "none"
        layer = case.layer
        kind = f"{layer.kind}-{str(layer.dtype)[6:]}".lower()
        name = f"{written:04d}-{'+'.join(case.causes) or 'none'}-{kind}".replace("/", "-")
        case.write(out / name, f"generated, seed {seed}, draw {draw}")
        tally[first] = tally.get(first, 0) + 1
        written += 1
    print(f"{written} cases of {draw} draws; first causes:")
    for name, number in sorted(tally.items(), key=lambda item: -item[1]):
        print(f"  {name:30} {number}")


def draw_layer(r, g, cause):
    """A layer in which somebody can make a mistake of this kind."""
    history = cause in ("momentum-convention", "running-variance-correction") or (
        cause == "running-vs-batch-statistics" and r.random() < 0.3)
    if cause in ("momentum-convention", "running-variance-correction") and r.random() < 0.4:
        layer = make_layer(r, g, kind=choose(r, *BATCH), dtype=torch.float32, training=True)
        if not hasattr(layer.module, "running_mean") or layer.module.running_mean is None:
            raise Unfit
        layer.compare = choose(r, "running_mean", "running_var")
        if cause == "running-variance-correction":
            layer.compare = "running_var"
        with torch.no_grad():
            if r.random() < 0.5:
                layer.module.reset_running_stats()
    elif history:
        layer = make_layer(
            r, g, kind=choose(r, *BATCH), dtype=choose(r, torch.float32, torch.float32, torch.float64),
            training=False, history=True)
    elif cause == "group-assignment":
        layer = make_layer(r, g, kind=choose(r, "GroupNorm", "GroupNorm", "GroupNorm", "LayerNorm"))
    elif cause in ("running-vs-batch-statistics", "per-axis-composition"):
        layer = make_layer(r, g, kind=choose(r, *(BATCH + INSTANCE)))
    elif cause == "mask/padding":
        layer = make_layer(r, g, kind="BatchNorm1d", training=True)
    else:
        layer = make_layer(r, g)
    shape = layer.shape
    if layer.kind in BATCH and layer.training and cause == "mask/padding" and len(shape) == 3:
        lengths = r.integers(1, shape[2] + 1, size=shape[0])
        layer.mask = torch.tensor(numpy.arange(shape[2])[None] < lengths[:, None]).to(torch.uint8)
        layer.mask_axes = [0, 2]
    elif cause == "mask/padding":
        raise Unfit
    if (cause in ("axes", "per-axis-composition") and layer.kind in BATCH and layer.training
            and shape[0] >= 4 and r.random() < 0.35):
        cut = int(r.integers(1, shape[0]))
        even = [shape[0] // 2] * 2 if shape[0] % 2 == 0 else [cut, shape[0] - cut]
        layer.blocks = choose(r, even, [cut, shape[0] - cut])
    if cause == "order-of-operations" and layer.kind in BATCH and r.random() < 0.6:
        layer.preceding = (float(layer.x.to(torch.float64).std(correction=0)) * torch.randn(shape[1], generator=g)).to(layer.dtype)
        if not layer.training:
            with torch.no_grad():
                layer.module.running_mean.add_(layer.preceding * 0)
    return layer


class Case:
    """A layer, the mistakes in what somebody computed, and what they are worth."""

    def __init__(self, r, g):
        label = choose(r, *CAUSES, p=numpy.array(list(CAUSES.values())) / sum(CAUSES.values()))
        self.layer = draw_layer(r, g, label)
        self.right = right(self.layer)
        self.output = self.layer.call()
        self.control = None
        self.mistakes, self.accept = [], {}
        truth = compute(self.layer, self.right)
        own_noise = gap(self.output, truth)
        scale = float(truth.abs().max())
        limit = 0.02 if self.layer.dtype in HALF else 1e-3
        if not math.isfinite(own_noise) or own_noise > limit * max(scale, 1e-30):
            raise Unfit
        if label is None:
            self.expected, self.control = controls.draw(r, self.layer, self.right)
            self.noise = max(own_noise, gap(self.expected, truth))
            self.measure()
            return
        known = catalogue(self.layer, self.right)
        first = [m for m in known if m.cause == label]
        if not first:
            raise Unfit
        pick = lambda items: items[r.choice(len(items), p=numpy.array([m.weight for m in items]) / sum(m.weight for m in items))]
        self.mistakes = [pick(first)]
        if r.random() < 0.3:
            others = [m for m in known if m.combines(self.mistakes[0]) and m.cause != "mask/padding"]
            if others:
                cause = choose(r, *sorted({m.cause for m in others}))
                self.mistakes.append(pick([m for m in others if m.cause == cause]))
        fields = self.fields(self.mistakes)
        exact = compute(self.layer, fields)
        self.expected = self.computed(r, fields, exact)
        self.noise = max(own_noise, gap(self.expected, exact))
        if not bool(torch.isfinite(self.expected).all()) or not bool(torch.isfinite(exact).all()):
            raise Unfit
        self.check(known, exact)
        self.measure()

    def fields(self, mistakes):
        result = dict(self.right)
        for mistake in mistakes:
            result.update(mistake.change)
        return result

    def computed(self, r, fields, exact):
        """What the user's program gives: in the layer's type, or in a wider one rounded once."""
        dtype = self.layer.dtype
        if dtype == torch.float64 or r.random() < 0.3:
            return exact.to(dtype)
        return compute(self.layer, fields, torch.float32).to(dtype)

    def is_visible(self, a, b):
        """Whether two results differ by more than rounding."""
        difference = (a - b).abs()
        if float(difference.max()) < 30 * self.fine():
            return False
        if self.layer.dtype not in HALF:
            return True
        unit = torch.finfo(self.layer.dtype).eps / 2
        rms = lambda t: float(t.pow(2).mean().sqrt())
        return rms(difference) > unit * rms(a) and float(difference.max()) > 4 * unit * float(a.abs().max())

    def fine(self):
        """The rounding that even results of half types do not hide."""
        if self.layer.dtype in HALF:
            return 1e-9
        return self.noise

    def check(self, known, exact):
        """Mistakes that have no influence, or that others look like, make no fair demand."""
        results = {}

        def result(mistakes):
            key = tuple(id(m) for m in mistakes)
            if key not in results:
                results[key] = compute(self.layer, self.fields(mistakes))
            return results[key]

        plain = result([])
        rounding = any(m.cause == "dtype-rounding" for m in self.mistakes)
        for size in range(len(self.mistakes) + 1):
            for chosen in itertools.combinations(self.mistakes, size):
                if size and not self.is_visible(result([]), result(chosen)):
                    raise Unfit
        for mistake in self.mistakes:
            others = [m for m in self.mistakes if m is not mistake]
            if not self.is_visible(exact, result(others)):
                raise Unfit
        if not self.is_visible(plain, exact):
            raise Unfit
        near = lambda value: gap(value, exact) <= self.likeness(exact)
        if len(self.mistakes) > 1 and any(near(result([m])) for m in known):
            raise Unfit
        for mistake in self.mistakes:
            others = [m for m in self.mistakes if m is not mistake]
            names = list(mistake.accept)
            for m in known:
                taken = any(set(m.change) & set(o.change) for o in others)
                if m.cause not in (mistake.cause, *names) and not taken and near(result([*others, m])):
                    names.append(m.cause)
            if self.layer.compare == "output" and self.is_epsilon(others, exact, near):
                if len(others) and mistake.cause != "epsilon-value":
                    pass
                if "epsilon-value" not in (mistake.cause, *names):
                    names.append("epsilon-value")
            if names:
                self.accept[mistake.cause] = names
        if len(self.mistakes) > 1 and self.is_epsilon([], exact, near):
            raise Unfit

    def likeness(self, exact):
        """How near a result has to be to count as the same."""
        dtype = self.layer.dtype
        if dtype in HALF:
            return 1.5 * torch.finfo(dtype).eps * float(exact.abs().max())
        return 8 * self.noise

    def is_epsilon(self, others, exact, near):
        """Whether some epsilon of its own makes the same result."""
        fields = self.fields(others)
        if fields["replaced"] is not None or any("quantize" in m.change for m in self.mistakes):
            return False
        if fields["divisor"] != "std":
            return False
        zero = {**fields, "eps": 0.0, "placement": "inside", "affine": "none"}
        whole = {**zero, "divisor": "one", "times": 1.0}
        if fields["before"] or fields["after"]:
            return False
        for placement in ("inside", "outside"):
            distance = compute(self.layer, whole)
            var = (distance / compute(self.layer, zero)) ** 2
            affine = {**fields, "divisor": "one", "centred": False}
            b = compute(Layer(**{**vars(self.layer), "x": self.layer.x * 0}), affine)
            w = compute(Layer(**{**vars(self.layer), "x": self.layer.x * 0 + 1}), affine) - b
            d = w * distance / (exact - b)
            eps = d**2 - var if placement == "inside" else d - var.sqrt()
            eps = eps[torch.isfinite(eps) & (d > 0) & (distance**2 > 0.25 * var)]
            if eps.numel() and float(eps.median()) > 0:
                if near(compute(self.layer, {**fields, "eps": float(eps.median()), "placement": placement})):
                    return True
        return False

    def measure(self):
        """What is left with every set of causes put right, and each cause's fair share."""
        exact = {}
        for size in range(len(self.mistakes) + 1):
            for fixed in itertools.combinations(range(len(self.mistakes)), size):
                left = [m for i, m in enumerate(self.mistakes) if i not in fixed]
                exact[fixed] = gap(compute(self.layer, self.fields(left)), compute(self.layer, self.right))
        self.sets = exact
        n = len(self.mistakes)
        share = [0.0] * n
        for order in itertools.permutations(range(n)):
            fixed = ()
            for i in order:
                after = tuple(sorted((*fixed, i)))
                share[i] += (exact[fixed] - exact[after]) / math.factorial(n)
                fixed = after
        ranking = sorted(range(n), key=lambda i: -share[i])
        self.order = ranking
        self.shares = share
        self.strict = all(
            share[a] >= 1.5 * abs(share[b]) for a, b in zip(ranking, ranking[1:]))
        self.causes = [self.mistakes[i].cause for i in ranking]

    # Files

    def write(self, folder, summary):
        folder.mkdir()
        layer = self.layer
        wide = lambda t: t.to(torch.float32 if t.dtype in HALF else t.dtype).contiguous().numpy()
        numpy.save(folder / "x.npy", wide(layer.x))
        numpy.save(folder / "expected.npy", wide(self.expected))
        state = {k: v.contiguous() for k, v in layer.state.items()}
        if state:
            save_file(state, folder / "params.safetensors")
        about = {
            "kind": layer.kind, "options": layer.options, "training": layer.training,
            "dtype": str(layer.dtype)[6:], "params": "params.safetensors" if state else None,
            "tensors": {k: list(v.shape) for k, v in state.items()}, "compare": layer.compare,
            "history": None,
        }
        if layer.history is not None:
            numpy.save(folder / "history.npy", wide(layer.history))
            about["history"] = "history.npy"
        if layer.mask is not None:
            numpy.save(folder / "mask.npy", layer.mask.numpy())
            about["mask"], about["mask_axes"] = "mask.npy", layer.mask_axes
        if layer.preceding is not None:
            save_file({"bias": layer.preceding}, folder / "preceding.safetensors")
            about["preceding"] = {"kind": "Conv2d", "bias": "preceding.safetensors"}
        if layer.blocks is not None:
            about["blocks"] = layer.blocks
        (folder / "layer.json").write_text(json.dumps(about, indent=1))
        (folder / "truth.json").write_text(json.dumps(self.truth(summary), indent=1))

    def truth(self, summary):
        names = [m.cause for m in self.mistakes]
        key = lambda fixed: "+".join(sorted(names[i] for i in fixed))
        everything = tuple(range(len(names)))
        but = lambda i: tuple(j for j in everything if j != i)
        return {
            "url": None, "see_also": [], "real": False, "summary": summary, "causes": self.causes,
            "details": {m.cause: {"user": m.user} for m in self.mistakes},
            "accept": self.accept, "decoys": [], "notes": None, "control": self.control,
            "gap": gap(self.expected, self.output),
            "gap_after_fixing": {m.cause: self.sets[(i,)] for i, m in enumerate(self.mistakes)},
            "gap_of_cause_alone": {m.cause: self.sets[but(i)] for i, m in enumerate(self.mistakes)},
            "shapley": {m.cause: self.shares[i] for i, m in enumerate(self.mistakes)},
            "gap_after_fixing_sets": {key(fixed): value for fixed, value in self.sets.items()},
            "order_strict": self.strict, "layer_scale": float(self.output.abs().max()),
            "torch_error_vs_float64": gap(self.output, compute(self.layer, self.right)),
            "torch": torch.__version__,
        }
