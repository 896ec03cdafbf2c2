"""A network in training, what is told of it, and the truth about its defect."""

import copy
import json
import random

import torch
from torch import nn

from doctor_networks import fit, norms
from norma_capture import capture
from odd_norms import RootMeanSquareNorm

from .architectures import convolutional, dense, options, transformer
from .data import Source


class Patient:
    """A network in training, its data, and what is told of both."""

    def __init__(self, r, **fixed):
        self.r, self.seed = r, r.randrange(1 << 30)
        self.source = Source(r)
        self.options = o = options(r, **fixed)
        self.generator = torch.Generator().manual_seed(self.seed)
        torch.manual_seed(self.seed)
        self.net = self.fresh()
        self.facts, self.prepare, self.scale = {}, lambda x: x, 1.0
        self.custom = (RootMeanSquareNorm,) if o["norms"] == "own" else ()
        self.x = None

    def fresh(self):
        # The same architecture again, whatever was drawn since.
        r = random.Random(self.seed)
        if self.options["norms"] != "batch" and r.random() < 0.5:
            return transformer(r, self.options, self.source)
        if self.source.is_image and r.random() < 0.75:
            return convolutional(r, self.options)
        return dense(r, self.options, self.source.features)

    def train(self, net=None, each=None, **changes):
        o = {**self.options, **changes}
        net = net if net is not None else self.net
        x, labels = self.source.train
        fit(net, x * self.scale, labels, steps=o["steps"], batch=o["batch"], lr=o["lr"], seed=changes.get("order", self.seed),
            each=each, settle=o["settle"])
        if o.get("cumulative") and net is self.net:
            # Statistics taken anew in the end, as update_bn does.
            for m in norms(net):
                m.reset_running_stats()
                m.momentum = None
            self.see(net, lambda x: x, 40, 64, self.source.train)
        return net

    @torch.no_grad()
    def see(self, net, prepare, count, size, part, classes=None):
        """Batches in training mode, without learning."""
        net.train()
        for _ in range(count):
            net(prepare(self.source.some(part, size, self.generator, classes)[0] * self.scale))
        net.eval()

    def tell(self, *names):
        o = self.options
        told = {"batches": o["steps"], "batch_size": o["batch"]}
        self.facts.update({k: told[k] for k in names})

    def tell_perhaps(self):
        if self.r.random() < 0.4 and not self.options.get("cumulative"):
            self.tell("batches", "batch_size")

    def write(self, folder, truth, training=False):
        folder.mkdir(parents=True, exist_ok=True)
        count = self.r.choice([64, 128, 256])
        x = self.x if self.x is not None else self.prepare(
            self.source.some(self.source.use, count, self.generator)[0] * self.scale)
        capture(self.net, x, folder / "capture.safetensors", custom=self.custom, quiet=True, **self.facts)
        if training:
            x = self.source.some(self.source.train, 256, self.generator)[0] * self.scale
            capture(self.net, x, folder / "train.safetensors", custom=self.custom, quiet=True,
                    **{**self.facts, "data": "training", "shuffled": True})
        (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


@torch.no_grad()
def is_slight(p, right, prepare=lambda x: x):
    """Whether the defect changes the network's result by less than a fifth of its spread: then none may be found."""
    x = prepare(p.source.some(p.source.use, 256, torch.Generator().manual_seed(0))[0] * p.scale)
    y, z = right.eval()(x), p.net.eval()(x)
    return (y - z).square().mean().sqrt().item() < 0.2 * y.std().item()


def with_statistics(p, net=None):
    """A copy with the statistics of training data, taken anew."""
    net = copy.deepcopy(net or p.net)
    for m in norms(net):
        m.reset_running_stats()
        m.momentum = None
    p.see(net, lambda x: x, 10, 200, p.source.train)
    return net


def found(p, right, defect, accept=(), **more):
    """The truth about a defect that may be slight."""
    none = [None] if is_slight(p, right) else []
    return truth(defect, [*accept, *none], **more)


def truth(defect, accept=(), layers=(), summary="", train=None):
    """`train`: the findings that are right when train.safetensors decides; those of `accept` where it is not given."""
    named = {"defect": defect, "accept": list(accept)}
    return {**named, "healthy": defect is None, "layers": list(layers), "summary": summary,
            "with_train": named if train is None else {"defect": defect, "accept": list(train)}}


DEFECTS = {}


def defect(function):
    """Registers a condition. The order of registration decides which network gets which."""
    DEFECTS[function.__name__.replace("_", "-")] = function
    return function


def named_norms(net):
    return [(name, m) for name, m in net.named_modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
