#!/usr/bin/env python3
"""Checks the written documentation; exits with 1 where a reader would not find something.

    check-documentation.py .build/docs [--list]

- Every name that people look for is in the navigator of the front page, whose filter finds it.
- Every public type and function of a module is in the Topics of some page.
- The way from the front page takes at most two clicks; --list prints it.
"""

import json
import pathlib
import sys

NAMES = """
Tensor Linear Conv2d ConvTranspose2d MaxPool2d AdaptiveAvgPool2d Embedding Dropout Flatten
Sequential Module Layer Parameter Buffer ReLU GELU SiLU Softmax LogSoftmax Sigmoid BatchNorm2d
BatchNorm1d LayerNorm GroupNorm InstanceNorm2d RMSNorm crossEntropy mseLoss
binaryCrossEntropyWithLogits nllLoss klDivergence SGD Adam AdamW RMSprop CosineAnnealing
LinearWarmup OneCycle ReduceOnPlateau Scheduler clipGradients GradientScaler DataLoader Dataset
TensorDataset ImageFolder CSV Checkpoint SafeTensors Snapshot Accuracy EarlyStopping autocast
withoutGradients manualSeed Moments einsum scaledDotProductAttention catchingTensorErrors DType
""".split()


def entries(node, path=()):
    """Every entry below a node of the navigator, with the titles above it."""
    for child in node.get("children", []):
        yield child, path
        above = path if child.get("type") == "groupMarker" else (*path, child["title"])
        yield from entries(child, above)


def main():
    folder = pathlib.Path(sys.argv[1])
    roots = json.loads((folder / "index/index.json").read_text())["interfaceLanguages"]["swift"]
    ways = {}
    for entry, path in entries(next(root for root in roots if root["title"] == "Norma")):
        title = entry.get("title", "")
        # Types are listed by name, functions as their declaration.
        name = title.removeprefix("func ").split("(")[0].split("<")[0]
        if name not in ways or len(path) < len(ways[name]):
            ways[name] = path
    problems = []
    for name in NAMES:
        if name not in ways:
            problems.append(f"{name}: the filter of the front page does not find it")
        elif len(ways[name]) > 1:
            problems.append(f"{name}: is more than two clicks away: {' > '.join(ways[name])}")
        elif "--list" in sys.argv:
            print(" > ".join(("Norma", *ways[name], name)))
    for root in roots:
        if root["title"] == "Norma":
            continue
        for entry in root.get("children", []):
            name = entry.get("title", "").removeprefix("func ").split("(")[0].split("<")[0]
            if entry.get("type") in ("struct", "class", "enum", "protocol", "func", "typealias"):
                if name not in ways:
                    problems.append(f"{root['title']}.{name}: is in the Topics of no page")
    print("\n".join(problems) or f"documentation: {len(NAMES)} names are two clicks away")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
