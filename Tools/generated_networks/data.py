"""Images and tables that the networks learn."""

import functools

import torch
from torch import nn

from doctor_networks import images, standardized

CLASSES = 10


@functools.lru_cache(None)
def small_images(part):
    x, labels = images(part)
    return standardized(nn.functional.avg_pool2d(x, 2)), labels


@functools.lru_cache(None)
def table(features, seed):
    """Clusters of correlated features, each feature with a scale and an offset of its own: training and use."""
    g = torch.Generator().manual_seed(seed)
    centers = 2 * torch.randn(CLASSES, features, generator=g)
    mix = torch.randn(features, features, generator=g) / features ** 0.5 + 0.5 * torch.eye(features)
    scale, offset = torch.randn(features, generator=g).exp(), torch.randn(features, generator=g)

    def part(count):
        labels = torch.randint(0, CLASSES, (count,), generator=g)
        x = centers[labels] + 1.5 * torch.randn(count, features, generator=g) @ mix
        return (x + offset) * scale, labels
    return part(20000), part(3000)


class Source:
    """Data of training and of use, and the part of them that a defect draws from."""

    def __init__(self, r):
        self.is_image = r.random() < 0.5
        if self.is_image:
            self.train, self.use = small_images("train"), small_images("t10k")
            self.features = 196
        else:
            self.features = r.choice([16, 24, 40])
            self.train, self.use = table(self.features, r.randrange(4))

    def some(self, part, count, generator, classes=None):
        x, labels = part
        if classes is not None:
            keep = torch.nonzero(torch.isin(labels, torch.tensor(classes))).flatten()
            x, labels = x[keep], labels[keep]
        i = torch.randint(0, len(x), (count,), generator=generator)
        return x[i], labels[i]
