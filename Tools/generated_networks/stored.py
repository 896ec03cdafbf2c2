"""Conditions of stored statistics: broken numbers, lost ones, exchanged ones, those of another run."""

import copy

import torch

from doctor_networks import norms

from .patients import Patient, defect, is_slight, named_norms, truth


@defect
def infinite(r):
    p = Patient(r)
    p.train()
    name, m = r.choice(named_norms(p.net))
    m.running_var[r.randrange(m.num_features)] = float("inf")
    return p, truth("non-finite-statistics", layers=[name])


@defect
def not_a_number(r):
    p = Patient(r)
    p.train()
    name, m = r.choice(named_norms(p.net))
    channel = r.randrange(m.num_features)
    m.running_mean[channel] = m.running_var[channel] = float("nan")
    return p, truth("non-finite-statistics", layers=[name])


@defect
def negative(r):
    p = Patient(r)
    p.train()
    name, m = r.choice(named_norms(p.net))
    channel = r.randrange(m.num_features)
    m.running_var[channel] = -0.3 * m.running_var[channel] - 0.01
    return p, truth("negative-running-variance", layers=[name])


@defect
def lost(r):
    p = Patient(r)
    p.train()
    all_norms = named_norms(p.net)
    some = all_norms if r.random() < 0.6 else [all_norms[-1]]
    for _, m in some:
        m.reset_running_stats()
    return p, truth("never-trained-statistics")


@defect
def exchanged_channels(r):
    p = Patient(r)
    p.train()
    name, m = r.choice(named_norms(p.net)[1:])
    order = torch.randperm(m.num_features, generator=p.generator)
    m.running_mean.copy_(m.running_mean[order])
    m.running_var.copy_(m.running_var[order])
    return p, truth("exchanged-statistics", layers=[name], accept=["foreign-statistics"] if m.num_features < 12 else [])


@defect
def exchanged_layers(r):
    what = r.choice(["both", "mean", "var"])
    p = Patient(r, depth=4)
    p.train()
    pairs = [(a, b) for a in named_norms(p.net) for b in named_norms(p.net)
             if a[0] < b[0] and a[1].num_features == b[1].num_features]
    (name, m), (other, n) = r.choice(pairs)
    right = copy.deepcopy(p.net)
    for key in ("mean", "var") if what == "both" else (what,):
        a, b = getattr(m, "running_" + key), getattr(n, "running_" + key)
        kept = a.clone()
        a.copy_(b)
        b.copy_(kept)
    return p, truth("exchanged-statistics", [None] if is_slight(p, right) else [],
                    layers=[] if is_slight(p, right) else [name, other], summary=what)


@defect
def foreign(r):
    p = Patient(r)
    p.train()
    torch.manual_seed(p.seed + 1)
    other = p.train(p.fresh(), order=p.seed + 1)
    for m, theirs in zip(norms(p.net), norms(other)):
        m.running_mean.copy_(theirs.running_mean)
        m.running_var.copy_(theirs.running_var)
    return p, truth("foreign-statistics", accept=["stale-statistics"])
