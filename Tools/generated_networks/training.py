"""Conditions of training: momentum, modes, averaged weights, small batches, parts of the data."""

import torch

from doctor_networks import norms

from .data import CLASSES
from .patients import Patient, defect, found, is_slight, truth, with_statistics


@defect
def slow(r):
    p = Patient(r, momentum=r.choice([0.001, 0.002, 0.005]))
    p.train()
    p.tell_perhaps()
    return p, truth("statistics-not-converged")


@defect
def keras_momentum(r):
    p = Patient(r, momentum=r.choice([0.99, 0.9]), batch=r.choice([16, 32, 64]))
    p.train()
    return p, truth("momentum-convention", accept=["noisy-statistics"])


@defect
def validated_in_training(r):
    p = Patient(r)
    p.options.pop("cumulative", None)

    def validate(step, net):
        if step % 2:
            with torch.no_grad():
                net(p.source.some(p.source.train, 32, p.generator)[0])
    p.train(each=validate)
    p.tell("batches", "batch_size")
    return p, truth("double-update", accept=["overwritten-statistics"])


def washed(r):
    a, b = r.choice([(0.3, 0.6), (1.0, 1.5), (0.5, -0.8), (2.0, 0.5)])
    return lambda x: a * x + b * x.std()


@defect
def overwritten(r):
    p = Patient(r, dropout=0.0)
    p.options.pop("cumulative", None)
    p.train()
    p.see(p.net, washed(r), r.choice([20, 60]), r.choice([8, 32]), p.source.use)
    if r.random() < 0.6:
        p.tell("batches")
        return p, truth("overwritten-statistics", accept=["double-update"])
    return p, truth("overwritten-statistics", train=["unrepresentative-statistics", "stale-statistics"],
                    accept=["domain-shift", "unrepresentative-statistics", "stale-statistics"], summary="untold")


@defect
def averaged(r):
    p = Patient(r, settle=False, lr=1e-2)
    p.options.pop("cumulative", None)
    sums = {}

    def average(step, net):
        if 2 * step >= p.options["steps"] and step % 10 == 0:
            for key, value in net.named_parameters():
                sums.setdefault(key, []).append(value.detach().clone())
    p.train(each=average)
    for key, value in p.net.named_parameters():
        value.data.copy_(torch.stack(sums[key]).mean(0))
    return p, found(p, with_statistics(p), "stale-statistics", ["foreign-statistics"])


@defect
def frozen_early(r):
    p = Patient(r, settle=False, lr=4e-3)
    p.options.pop("cumulative", None)
    early = r.choice([5, 20, 40])

    def freeze(step, net):
        if step >= early:
            for m, (mean, var, count) in zip(norms(net), kept):
                m.running_mean.copy_(mean)
                m.running_var.copy_(var)
                m.num_batches_tracked.copy_(count)
        else:
            kept[:] = [(m.running_mean.clone(), m.running_var.clone(), m.num_batches_tracked.clone()) for m in norms(net)]
    kept = []
    p.train(each=freeze)
    if r.random() < 0.6:
        p.tell("batches")
    return p, found(p, with_statistics(p), "stale-statistics", ["foreign-statistics", "statistics-not-converged"])


@defect
def tiny_batches(r):
    p = Patient(r, batch=r.choice([2, 3]), steps=600, lr=1e-3, momentum=0.1)
    p.train()
    if r.random() < 0.6:
        p.tell("batch_size")
    return p, truth("noisy-statistics", accept=[None])


@defect
def some_classes(r):
    p = Patient(r)
    p.options.pop("cumulative", None)
    p.train()
    classes = r.sample(range(CLASSES), r.choice([1, 2, 3]))
    p.see(p.net, lambda x: x, 60, 64, p.source.train, classes)
    for m in norms(p.net):
        m.num_batches_tracked.fill_(p.options["steps"])
    none = [None] if is_slight(p, with_statistics(p)) else []
    return p, truth("unrepresentative-statistics", ["overwritten-statistics", "domain-shift", *none],
                    train=["overwritten-statistics", "stale-statistics", *none], summary="%d classes" % len(classes))
