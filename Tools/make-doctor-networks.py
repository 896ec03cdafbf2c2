#!/usr/bin/env python3
"""Trains small networks with defects of their normalization, one for each condition, and captures them.

    python Tools/make-doctor-networks.py OUT [NAME ...]

Writes to OUT/<name>/: capture.safetensors (a batch in use), train.safetensors (a training batch),
model.safetensors and model.pt, truth.json, and other.safetensors if two networks are to be compared.
About a minute and a half on one core. Needs torch and Fashion-MNIST.

truth.json: `defect` is the expected first finding (null: none), `accept` lists equally good findings, `with_train` is
the expected finding together with train.safetensors, `false` lists causes that must not be stated, `status` the correct
exit statuses if not 0 for healthy networks and 1 for defects (findings that are notes); `compare` names the layer and
the cause that `norma compare other.safetensors capture.safetensors` must find.
"""

import copy
import functools
import pathlib
import sys
import time

import torch
from torch import nn

from doctor_networks import Net, batch, four_norms, images, norms, standardized, train, write_case
from odd_norms import HandWrittenNorm, interleaved, replaced, tokens

CONDITIONS = {}


def condition(function):
    CONDITIONS[function.__name__.replace("_", "-")] = function
    return function


def truth(defect, summary, accept=(), layers=(), false=(), with_train=None, **more):
    return {"defect": defect, "healthy": defect is None, "accept": list(accept), "layers": list(layers),
            "false": list(false), "with_train": with_train or {"defect": defect, "accept": list(accept)},
            "summary": summary, **more}


ALL = ["bn1", "bn2", "bn3", "bn4"]


@functools.lru_cache(None)
def _healthy(seed):
    torch.manual_seed(seed)
    return train(four_norms(), seed=seed)


def healthy(seed=0):
    return copy.deepcopy(_healthy(seed))


@condition
def momentum_0_001(folder):
    torch.manual_seed(0)
    net = train(four_norms(momentum=0.001))
    write_case(folder, net, truth(
        "statistics-not-converged", "momentum 0.001: after 300 batches 74 % of the first values are left", layers=ALL,
        false=["domain-shift"]))


@condition
def momentum_0_99_from_keras(folder):
    torch.manual_seed(0)
    net = train(four_norms(momentum=0.99), batch=16)
    write_case(folder, net, truth(
        "momentum-convention", "momentum 0.99 copied from Keras: the running statistics are those of the last batch",
        accept=["noisy-statistics"], layers=ALL, false=["domain-shift"]))


@condition
def other_preprocessing(folder):
    write_case(folder, healthy(), truth(
        "domain-shift", "trained with (x - mean) / std, used with pixels from 0 to 1",
        accept=[], false=["stale-statistics"]), prepare=lambda x: x, repair_prepare=standardized)


@condition
def scaled_twice(folder):
    write_case(folder, healthy(), truth(
        "domain-shift", "pixels divided by 255 twice before (x - mean) / std",
        accept=[], false=["stale-statistics"]), prepare=lambda x: standardized(x / 255), repair_prepare=standardized)


@condition
def statistics_of_another_run(folder):
    net, other = healthy(), healthy(1)
    for m, theirs in zip(norms(net), norms(other)):
        m.running_mean.copy_(theirs.running_mean)
        m.running_var.copy_(theirs.running_var)
    write_case(folder, net, truth(
        "foreign-statistics", "running statistics of another training run with the same data and another seed",
        accept=["stale-statistics"], layers=ALL, false=["domain-shift"]))


@condition
def buffers_lost_by_strict_false(folder):
    trained, net = healthy(), four_norms()
    state = {key.replace("running_", "moving_"): value for key, value in trained.state_dict().items()
             if "num_batches" not in key}
    net.load_state_dict(state, strict=False)
    write_case(folder, net.eval(), truth(
        "never-trained-statistics", "the checkpoint calls them moving_mean and moving_var; strict=False loaded neither",
        layers=ALL, false=["domain-shift"]))


@condition
def averaged_weights_with_old_statistics(folder):
    torch.manual_seed(0)
    net, sums = four_norms(), {}

    def average(step, net):
        if step >= 150 and step % 15 == 0:
            for key, p in net.named_parameters():
                sums.setdefault(key, []).append(p.detach().clone())
    train(net, lr=0.02, each=average, settle=False)
    for key, p in net.named_parameters():
        p.data.copy_(torch.stack(sums[key]).mean(0))
    write_case(folder, net, truth(
        "stale-statistics", "stochastic weight averaging without update_bn: weights of ten steps averaged, the last statistics",
        accept=["foreign-statistics"], false=["domain-shift"]))


@condition
def inference_in_training_mode(folder):
    net = healthy().train()
    x, _ = images("t10k")
    with torch.no_grad():
        for step in range(60):
            net(standardized(0.3 * x[8 * step:8 * step + 8] + 0.6))
    write_case(folder, net.eval(), truth(
        "overwritten-statistics", "300 batches of training, then 60 batches of 8 washed-out images in train()",
        accept=["double-update", "foreign-statistics", "stale-statistics"], false=["domain-shift"]), facts={"batches": 300})


@condition
def dropout_in_front(folder):
    torch.manual_seed(0)
    net = train(four_norms(dropout=0.6))
    write_case(folder, net, truth(
        "dropout-variance-shift", "dropout 0.6 between fc1 and bn4: the variance of training is larger than that of evaluation",
        layers=["bn4"], false=["domain-shift"]))


@condition
def batch_size_2(folder):
    torch.manual_seed(0)
    net = train(four_norms(), steps=1500, batch=2, lr=1e-3)
    # The statistics cost 1 % of accuracy here, so a note that does not fail is right, too.
    write_case(folder, net, truth(
        "noisy-statistics", "batches of 2: the running statistics rest on some 40 images",
        accept=[None], status=[0, 1], false=["domain-shift"]), facts={"batch_size": 2})


@condition
def epsilon_of_keras(folder):
    torch.manual_seed(0)
    net = train(four_norms(eps=1e-3), prepare=lambda x: 0.1 * standardized(x))
    for m in norms(net):
        m.eps = 1e-5
    write_case(folder, net, truth(
        "epsilon-mismatch", "trained with eps 1e-3, Keras' default, on data of small spread, used with 1e-5",
        layers=ALL, false=["domain-shift"]), prepare=lambda x: 0.1 * standardized(x))


@condition
def overflow_in_float16(folder):
    torch.manual_seed(0)
    net = train(four_norms(), prepare=lambda x: 1023 * x)
    for m in norms(net):
        m.running_mean.copy_(m.running_mean.half())
        m.running_var.copy_(m.running_var.half())
    broken = torch.nonzero(~torch.isfinite(net.bn1.running_var)).flatten().tolist()
    assert broken, "no variance overflowed"
    write_case(folder, net, truth(
        "non-finite-statistics", "images of 10 bits, buffers stored as float16: variances above 65,504 are infinite",
        layers=["bn1"], channels={"bn1": broken}), prepare=lambda x: 1023 * x)


@condition
def one_rank_saw_three_classes(folder):
    torch.manual_seed(0)
    net = four_norms()
    x, labels = images("train")
    own = torch.nonzero(labels < 3).flatten()
    generator = torch.Generator().manual_seed(7)

    def update(step, net):
        # The process that writes the checkpoint sees three classes; the gradients are those of all.
        for m in norms(net):
            m.running_mean, m.running_var = kept[m]
        with torch.no_grad():
            net(standardized(x[own[torch.randint(0, len(own), (64,), generator=generator)]]))
        set_aside(net)

    def set_aside(net):
        for m in norms(net):
            kept[m] = m.running_mean.clone(), m.running_var.clone()

    kept = {}
    set_aside(net)
    train(net, each=update)
    for m in norms(net):
        m.running_mean, m.running_var = kept[m]
        m.num_batches_tracked.fill_(300)
    write_case(folder, net, truth(
        "unrepresentative-statistics", "the buffers of a process whose data held three of the ten classes",
        accept=["foreign-statistics", "stale-statistics"], false=["domain-shift"]))


@condition
def fused_convolution_without_bias(folder):
    net = healthy()
    scale = net.bn1.weight / (net.bn1.running_var + net.bn1.eps).sqrt()
    net.conv1.weight.data.mul_(scale[:, None, None, None].detach())
    net.bn1 = nn.Identity()
    write_case(folder, net, truth(
        "stale-statistics", "bn1 folded into conv1, which has no bias: its shift is lost, and bn2 sees other values",
        accept=["foreign-statistics"], false=["domain-shift"]))


@condition
def weight_decay_on_gamma(folder):
    torch.manual_seed(0)
    net = four_norms()
    train(net, steps=400, optimizer=torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1.5))
    write_case(folder, net, truth(None, "healthy: weight decay shrank the gammas"))


# ---- Layers with another formula --------------------------------------------------------------------------------

class Patches(nn.Module):
    """Images as 49 tokens of 4 x 4 pixels."""

    def forward(self, x):
        return nn.functional.unfold(x, 4, stride=4).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(d), nn.MultiheadAttention(d, 2, batch_first=True)
        self.norm2, self.mlp = nn.LayerNorm(d), nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x):
        z = self.norm1(x)
        x = x + self.attention(z, z, z, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(1)


@functools.lru_cache(None)
def _transformer():
    torch.manual_seed(0)
    d = 32
    return train(Net(patches=Patches(), embed=nn.Linear(16, d), block1=Block(d), block2=Block(d), norm=nn.LayerNorm(d),
                     mean=Mean(), head=nn.Linear(d, 10)), steps=250)


LAYER_NORMS = ["block1.norm1", "block1.norm2", "block2.norm1", "block2.norm2", "norm"]


@condition
def layer_norm_over_wrong_axes(folder):
    right = _transformer()
    net = replaced(right, nn.LayerNorm, tokens)
    write_case(folder, net, truth(
        "different-formula", "a LayerNorm subclass that normalizes over the tokens instead of the features",
        layers=LAYER_NORMS, compare={"layer": "block1.norm1", "cause": "axes"}), other=right)


@condition
def group_norm_with_interleaved_groups(folder):
    torch.manual_seed(0)
    right = train(four_norms(norm2d=lambda c: nn.GroupNorm(4, c), norm1d=lambda c: nn.GroupNorm(4, c)), steps=250)
    net = replaced(right, nn.GroupNorm, lambda m: interleaved(m) if m.num_channels != 64 else nn.GroupNorm(4, 64))
    write_case(folder, net, truth(
        "different-formula", "groups of every fourth channel instead of neighbours",
        layers=["bn1", "bn2", "bn3"], compare={"layer": "bn1", "cause": "group-assignment"}), other=right)


@condition
def hand_written_with_n_minus_1(folder):
    right = _transformer()
    net = replaced(right, nn.LayerNorm, lambda m: HandWrittenNorm(m.normalized_shape[0]))
    write_case(folder, net, truth(
        "different-formula", "hand-written layer norms: std with n - 1, eps outside of the root",
        status=[0], layers=LAYER_NORMS, compare={"layer": "block1.norm1", "cause": "correction"}), other=right,
        custom=(HandWrittenNorm,))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out, names = pathlib.Path(sys.argv[1]), sys.argv[2:] or list(CONDITIONS)
    for name in names:
        start = time.time()
        CONDITIONS[name](out / name)
        print("%-40s %5.1f s" % (name, time.time() - start), flush=True)


if __name__ == "__main__":
    main()
