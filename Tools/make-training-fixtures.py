#!/usr/bin/env python3
"""Writes Tests/Fixtures/training: what PyTorch's optimizers and schedules do, step by step.

usage: make-training-fixtures.py FOLDER        (needs torch, numpy and safetensors' format, written here)
"""
import json
import pathlib
import struct
import sys

import torch

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
STEPS = 20

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, foreach=False),
    "sgd_momentum": lambda p: torch.optim.SGD(
        p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01, foreach=False),
    "sgd_nesterov": lambda p: torch.optim.SGD(
        p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, foreach=False),
    "sgd_maximize": lambda p: torch.optim.SGD(p, lr=0.1, maximize=True, foreach=False),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, foreach=False),
    "adam_amsgrad": lambda p: torch.optim.Adam(
        p, lr=0.01, betas=(0.8, 0.9), amsgrad=True, foreach=False),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, foreach=False),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, foreach=False),
    "rmsprop_centered": lambda p: torch.optim.RMSprop(
        p, lr=0.01, momentum=0.9, centered=True, weight_decay=0.1, foreach=False),
    "adagrad": lambda p: torch.optim.Adagrad(
        p, lr=0.1, lr_decay=0.1, weight_decay=0.1, foreach=False),
}

S = torch.optim.lr_scheduler
SCHEDULES = {
    "step": lambda o: S.StepLR(o, 30, 0.5),
    "multi_step": lambda o: S.MultiStepLR(o, [30, 80, 150], 0.1),
    "exponential": lambda o: S.ExponentialLR(o, 0.97),
    "linear": lambda o: S.LinearLR(o, 0.1, 1.0, 50),
    "cosine": lambda o: S.CosineAnnealingLR(o, 200, 0.001),
    "restarts": lambda o: S.CosineAnnealingWarmRestarts(o, 20, 2, 0.001),
    "polynomial": lambda o: S.PolynomialLR(o, 150, 2.0),
    "one_cycle": lambda o: S.OneCycleLR(o, 0.3, total_steps=200),
    "one_cycle_linear": lambda o: S.OneCycleLR(
        o, 0.3, total_steps=200, anneal_strategy="linear", three_phase=True),
    "sequential": lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.1, 1.0, 20), S.ExponentialLR(o, 0.97)], [20]),
    "chained": lambda o: S.ChainedScheduler(
        [S.LinearLR(o, 0.1, 1.0, 20), S.ExponentialLR(o, 0.97)]),
}


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


torch.manual_seed(0)
start = torch.randn(5, 3)
gradients = torch.randn(STEPS, 5, 3)
tensors = {"start": start, "gradients": gradients}
for name, make in OPTIMIZERS.items():
    p = torch.nn.Parameter(start.clone())
    optimizer = make([p])
    values = []
    for g in gradients:
        p.grad = g.clone()
        optimizer.step()
        values.append(p.detach().clone())
    tensors[name] = torch.stack(values)
write_safetensors(folder / "optimizers.safetensors", tensors)

rates = {}
for name, make in SCHEDULES.items():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    schedule = make(optimizer)
    values = []
    for _ in range(200):
        group = optimizer.param_groups[0]
        values.append([group["lr"], group["momentum"]])
        optimizer.step()
        if len(values) < 200:
            schedule.step()
    rates[name] = values
plateau = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
schedule = S.ReduceLROnPlateau(plateau, factor=0.5, patience=2, cooldown=1)
losses = [1, 0.9, 0.9, 0.95, 0.91, 0.9, 0.92, 0.93, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.7]
values = []
for loss in losses:
    schedule.step(loss)
    values.append([loss, plateau.param_groups[0]["lr"]])
rates["plateau"] = values
# Two epochs, drawn from a generator of the loader's own or from the default one, and what is drawn next.
order = {}
for seed in (0, 1):
    def epochs(own):
        generator = torch.Generator().manual_seed(seed) if own else None
        torch.manual_seed(seed)
        loader = torch.utils.data.DataLoader(
            torch.arange(11), batch_size=4, shuffle=True, generator=generator)
        batches = [[b.tolist() for b in loader] for _ in range(2)]
        return {"batches": batches, "next": torch.rand(1, generator=generator).item()}
    order[str(seed)] = {"own": epochs(True), "default": epochs(False)}
torch.manual_seed(5)
split = [list(s.indices) for s in torch.utils.data.random_split(range(10), [7, 3])]
(folder / "schedules.json").write_text(
    json.dumps({"torch": torch.__version__, "rates": rates, "order": order, "split": split}))
