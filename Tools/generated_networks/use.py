"""Conditions of use and of the network itself: other data, other options, dead channels, other formulas."""

import copy

import torch
from torch import nn

from doctor_networks import norms
from odd_norms import ODD_NORMS, replaced

from .architectures import Shift
from .patients import Patient, defect, found, is_slight, named_norms, truth, with_statistics


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
