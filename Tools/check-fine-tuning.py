#!/usr/bin/env python3
"""Compares the losses of Snippets/FineTuning.swift with torch's, step by step.

    swift run -c release FineTuning tiny.pth classifier.onnx > losses.txt
    python3 Tools/check-fine-tuning.py tiny.pth classifier.onnx losses.txt     # torch, onnx, numpy

The network of the checkpoint is written out here, and the graph of the ONNX file is run by torch's
functions, with the same weights, data and optimizer. Each loss must agree to 1e-4 of itself.
"""

import math
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

BOUND = 1e-4


class CREPE(torch.nn.Module):
    """The architecture of torchcrepe's tiny network."""

    def __init__(self):
        super().__init__()
        channels = [1, 128, 16, 16, 16, 32, 64]
        for i in range(6):
            kernel, stride = ((512, 1), (4, 1)) if i == 0 else ((64, 1), (1, 1))
            conv = torch.nn.Conv2d(channels[i], channels[i + 1], kernel, stride)
            norm = torch.nn.BatchNorm2d(channels[i + 1], eps=float(np.float32(0.001)), momentum=0)
            setattr(self, f"conv{i + 1}", conv)
            setattr(self, f"conv{i + 1}_BN", norm)
        self.classifier = torch.nn.Linear(4 * channels[6], 360)

    def forward(self, x):
        x = x[:, None, :, None]
        for i in range(1, 7):
            x = F.pad(x, (0, 0, 254, 254) if i == 1 else (0, 0, 31, 32))
            x = getattr(self, f"conv{i}_BN")(F.relu(getattr(self, f"conv{i}")(x)))
            x = F.max_pool2d(x, (2, 1), (2, 1))
        return torch.sigmoid(self.classifier(x.permute(0, 2, 1, 3).reshape(x.shape[0], -1)))


def tensor(array):
    return torch.tensor(np.array(array), dtype=torch.float32)


def notes(path):
    model = CREPE()
    model.load_state_dict(torch.load(path, weights_only=True))
    model.eval()
    time, bins = np.arange(1024) / 16000, np.arange(360)
    frames, targets = [], []
    for key in range(24):
        frequency = 130.8127826502993 * 2 ** (key / 12)
        wave = sum(np.sin(2 * math.pi * frequency * n * time + key * n) / n for n in (1, 2, 3))
        frames.append((wave - wave.mean()) / wave.std())
        targets.append(np.exp(-(((bins - (100 + 5 * (key % 12))) / 1.25) ** 2) / 2))
    frames, targets = tensor(frames), tensor(targets)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return trained(20, optimizer, lambda: F.binary_cross_entropy(model(frames), targets))


def stripes(path):
    graph = onnx.load(path).graph
    values = {item.name: torch.tensor(numpy_helper.to_array(item)) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            array = numpy_helper.to_array(node.attribute[0].t)
            values[node.output[0]] = torch.tensor(array)
    weights = [v for v in values.values() if v.is_floating_point() and v.dim() >= 2]
    for weight in weights:
        weight.requires_grad_(True)
    rows, columns = np.arange(48)[:, None], np.arange(192)[None, :]
    pictures = []
    for n in range(8):
        wave = np.sin((columns if n % 2 else rows) * (2 * math.pi / (6 + n))) * 0.5
        pictures.append(np.stack([wave + 0.1 * np.sin(0.7 * rows + 0.37 * columns)] * 3))
    pictures, classes = tensor(pictures), torch.arange(8) % 2
    optimizer = torch.optim.SGD(weights, lr=0.001, momentum=0.5)
    return trained(
        8, optimizer, lambda: F.nll_loss(run(graph, values, pictures).log(), classes))


def trained(steps, optimizer, forward):
    losses = []
    for _ in range(steps):
        loss = forward()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def run(graph, constants, x):
    """The result of a graph that has the operators below."""
    values = dict(constants)
    values[graph.input[0].name] = x
    for node in graph.node:
        if node.op_type == "Constant":
            continue
        inputs = [values[name] for name in node.input]
        options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = OPERATORS[node.op_type](options, *inputs)
    return values[graph.output[0].name]


def convolution(options, x, weight, *bias):
    top, left, bottom, right = options["pads"]
    return F.conv2d(
        F.pad(x, (left, right, top, bottom)), weight, *bias, stride=options["strides"],
        dilation=options["dilations"], groups=options["group"])


OPERATORS = {
    "Conv": convolution,
    "BatchNormalization": lambda o, x, w, b, mean, variance: F.batch_norm(
        x, mean, variance, w, b, False, 0, o["epsilon"]),
    "Add": lambda o, a, b: a + b,
    "Mul": lambda o, a, b: a * b,
    "Div": lambda o, a, b: a / b,
    "Clip": lambda o, x, *ends: torch.clamp(x, *(ends or (o["min"], o["max"]))),
    "Relu": lambda o, x: F.relu(x),
    "GlobalAveragePool": lambda o, x: x.mean((2, 3), keepdim=True),
    "Reshape": lambda o, x, shape: x.reshape([int(size) for size in shape]),
    "HardSigmoid": lambda o, x: torch.clamp(x * o["alpha"] + o.get("beta", 0.5), 0, 1),
    "MaxPool": lambda o, x: F.max_pool2d(x, o["kernel_shape"], o["strides"], o["pads"][:2]),
    "Shape": lambda o, x: torch.tensor(x.shape),
    "Cast": lambda o, x: x.to({1: torch.float32, 6: torch.int32, 7: torch.int64}[o["to"]]),
    "Slice": lambda o, x, first, last, *_: x[int(first):int(last)],
    "Concat": lambda o, *parts: torch.cat([part.reshape(-1) for part in parts]),
    "MatMul": lambda o, a, b: a @ b,
    "Softmax": lambda o, x: torch.softmax(x, o.get("axis", -1)),
    "Identity": lambda o, x: x,
}


def main():
    torch.set_num_threads(2)
    network, classifier, printed = sys.argv[1:4]
    found = {"notes": [], "stripes": []}
    with open(printed) as file:
        for line in file:
            words = line.split()
            if len(words) == 3 and words[0] in found:
                found[words[0]].append(float(words[2]))
    isWrong = False
    for name, wanted in (("notes", notes(network)), ("stripes", stripes(classifier))):
        own = found[name]
        if len(own) != len(wanted):
            sys.exit(f"{printed} has {len(own)} losses of {name}, not {len(wanted)}")
        worst = max(abs(a - b) / b for a, b in zip(own, wanted))
        print(f"{name}: torch {wanted[0]:.6f} to {wanted[-1]:.6f}, Norma {own[0]:.6f} to "
              f"{own[-1]:.6f}; largest relative difference {worst:.1e}")
        isWrong = isWrong or worst > BOUND
    sys.exit(1 if isWrong else 0)


if __name__ == "__main__":
    main()
