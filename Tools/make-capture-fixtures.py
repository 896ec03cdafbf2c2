#!/usr/bin/env python3
"""Writes the small captures that NormaCLITests diagnoses, with norma_capture.py. Needs torch; run from the repository root."""

import copy
import pathlib

import torch
from torch import nn

from doctor_networks import Net, fit, norms
from norma_capture import capture
from odd_norms import HandWrittenNorm, RootMeanSquareNorm

FOLDER = pathlib.Path("Tests/NormaCLITests/Fixtures")
FEATURES, CLASSES = 6, 3


def data(count, seed):
    g = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (count,), generator=g)
    centers = torch.tensor([[2.0, 0, 0, 1, 0, 0], [0, 2, 0, 0, 1, 0], [0, 0, 2, 0, 0, 1]])
    return centers[labels] + torch.randn(count, FEATURES, generator=g), labels


def network(norm1, norm2):
    return Net(fc1=nn.Linear(FEATURES, 8, bias=False), norm1=norm1, relu1=nn.ReLU(), fc2=nn.Linear(8, 8, bias=False),
               norm2=norm2, relu2=nn.ReLU(), head=nn.Linear(8, CLASSES))


def trained(net):
    return fit(net, *data(2000, 1), steps=200, batch=32, lr=4e-3, seed=0)


def save(name, net, x, **options):
    capture(net, x, FOLDER / (name + ".safetensors"), quiet=True, **options)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    net, x = trained(network(nn.BatchNorm1d(8), nn.BatchNorm1d(8))), data(64, 2)[0]
    save("healthy", net, x, batches=200, batch_size=32)
    save("training", net, data(64, 3)[0], data="training", shuffled=True)
    save("other-data", net, 3 * x + 1)
    lost = copy.deepcopy(net)
    for m in norms(lost):
        m.reset_running_stats()
    save("lost", nn.DataParallel(lost), x)
    own = trained(network(RootMeanSquareNorm(8), HandWrittenNorm(8)))
    save("own-norms", own, x, custom=("RootMeanSquareNorm", "HandWrittenNorm"))

if __name__ == "__main__":
    main()
