"""Normalization layers whose formula differs from that of their kind, as people write them. Needs torch.

Used by make-doctor-networks.py and make-generated-networks.py.
"""

import copy

import torch
from torch import nn


class TokensNorm(nn.LayerNorm):
    """Meant for the features, and over the tokens: mean(1) of [N, T, D]; of [N, D] over the samples."""

    def forward(self, x):
        axis = 1 if x.dim() > 2 else 0
        mean, var = x.mean(axis, keepdim=True), x.var(axis, unbiased=False, keepdim=True)
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias


class SampleNorm(nn.LayerNorm):
    """std() divides by n - 1, and eps is added to it."""

    def forward(self, x):
        return self.weight * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + self.eps) + self.bias


class UncenteredNorm(nn.LayerNorm):
    """Forgets to subtract the mean."""

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight + self.bias


class CenteredRMSNorm(nn.RMSNorm):
    """Subtracts the mean, which a root mean square norm does not."""

    def forward(self, x):
        x = x - x.mean(-1, keepdim=True)
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + (self.eps or 1e-6)) * self.weight


class OffsetRMSNorm(nn.RMSNorm):
    """The weight as an offset from 1, as in Gemma."""

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + (self.eps or 1e-6)) * (1 + self.weight)


class InterleavedGroupNorm(nn.GroupNorm):
    """Groups of every so manieth channel instead of neighbours."""

    def forward(self, x):
        n, c = x.shape[:2]
        z = x.reshape(n, c // self.num_groups, self.num_groups, -1)
        mean, var = z.mean((1, 3), keepdim=True), z.var((1, 3), unbiased=False, keepdim=True)
        z = ((z - mean) / torch.sqrt(var + self.eps)).reshape(x.shape)
        shape = [-1] + [1] * (x.dim() - 2)
        return z * self.weight.reshape(shape) + self.bias.reshape(shape)


class SampleInstanceNorm(nn.InstanceNorm2d):
    """Divides by n - 1."""

    def forward(self, x):
        mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True)
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight[:, None, None] + self.bias[:, None, None]


class HandWrittenNorm(nn.Module):
    """The layer norm of many tutorials: x.std() divides by n - 1, and eps is added to it."""

    def __init__(self, features, eps=1e-6):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))
        self.eps = eps

    def forward(self, x):
        return self.weight * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + self.eps) + self.bias


class RootMeanSquareNorm(nn.Module):
    """A root mean square norm that computes what torch.nn.RMSNorm does."""

    def __init__(self, features, eps=1e-6):
        super().__init__()
        self.weight, self.variance_epsilon = nn.Parameter(torch.ones(features)), eps

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.variance_epsilon) * self.weight


def interleaved(m):
    return InterleavedGroupNorm(m.num_groups, m.num_channels, eps=m.eps)


def tokens(m):
    return TokensNorm(m.normalized_shape, eps=m.eps)


def sample(m):
    return SampleNorm(m.normalized_shape, eps=m.eps)


def uncentered(m):
    return UncenteredNorm(m.normalized_shape, eps=m.eps)


def centered(m):
    return CenteredRMSNorm(m.normalized_shape, eps=m.eps)


def offset(m):
    return OffsetRMSNorm(m.normalized_shape, eps=m.eps)


def sample_instance(m):
    return SampleInstanceNorm(m.num_features, affine=True, eps=m.eps)


ODD_NORMS = [
    (nn.LayerNorm, tokens), (nn.LayerNorm, sample), (nn.LayerNorm, uncentered), (nn.RMSNorm, centered), (nn.RMSNorm, offset),
    (nn.GroupNorm, interleaved), (nn.InstanceNorm2d, sample_instance)]


def replaced(net, kind, make):
    """A copy in evaluation whose layers of exactly one kind are others with their state."""
    net = copy.deepcopy(net)
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is kind:
                new = make(child)
                new.load_state_dict(child.state_dict())
                parent.add_module(name, new)
    return net.eval()
