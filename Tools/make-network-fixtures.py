#!/usr/bin/env python3
"""Writes Tests/NormaModelsTests/Fixtures/networks.json: names and shapes of the parameters of known
architectures, written here in plain PyTorch, and their answers in float64 to made-up pictures and
words, with parameters that a formula gives (`numbers`).

usage: make-network-fixtures.py FILE        (needs torch)
"""
import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn


def linear(inputs, outputs, bias=True):
    return nn.Linear(inputs, outputs, bias=bias)


def attention(q, k, v, causal):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if causal:
        blocked = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(blocked, -math.inf)
    return scores.softmax(-1) @ v


def heads(x, count):
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        if bottleneck:
            self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
            self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
            self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(outputs)
        else:
            self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.outputs = outputs

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "conv3"):
            y = self.bn3(self.conv3(F.relu(y)))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet(nn.Module):
    def __init__(self, blocks, bottleneck, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for index, count in enumerate(blocks):
            stage = []
            for number in range(count):
                stride = 2 if number == 0 and index > 0 else 1
                stage.append(Block(inputs, width * 2 ** index, stride, bottleneck))
                inputs = stage[-1].outputs
            setattr(self, f"layer{index + 1}", nn.Sequential(*stage))
        self.fc = linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class Transposed(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class Bag(nn.Module):
    """Modules by name."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)


class GPT2(nn.Module):
    def __init__(self, tokens, positions, width, layers, count):
        super().__init__()
        self.count = count
        self.wte, self.wpe = nn.Embedding(tokens, width), nn.Embedding(positions, width)
        self.h = nn.ModuleList(Bag(
            ln_1=nn.LayerNorm(width), ln_2=nn.LayerNorm(width),
            attn=Bag(c_attn=Transposed(width, 3 * width), c_proj=Transposed(width, width)),
            mlp=Bag(c_fc=Transposed(width, 4 * width), c_proj=Transposed(4 * width, width)))
            for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)

    def forward(self, x):
        x = self.wte(x) + self.wpe(torch.arange(x.shape[1]))
        for h in self.h:
            parts = [heads(p, self.count) for p in h.attn.c_attn(h.ln_1(x)).chunk(3, -1)]
            x = x + h.attn.c_proj(attention(*parts, True).transpose(1, 2).flatten(2))
            x = x + h.mlp.c_proj(F.gelu(h.mlp.c_fc(h.ln_2(x)), approximate="tanh"))
        return self.ln_f(x) @ self.wte.weight.T


def rotated(x, base):
    width = x.shape[-1]
    rates = base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(x.shape[-2], dtype=torch.float64)[:, None] * rates
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Llama(nn.Module):
    def __init__(self, tokens, width, inner, layers, count, keys, base):
        super().__init__()
        self.count, self.keys, self.base = count, keys, base
        d = width // count
        self.model = Bag(
            embed_tokens=nn.Embedding(tokens, width),
            layers=nn.ModuleList(Bag(
                self_attn=Bag(
                    q_proj=linear(width, width, False), k_proj=linear(width, d * keys, False),
                    v_proj=linear(width, d * keys, False), o_proj=linear(width, width, False)),
                mlp=Bag(gate_proj=linear(width, inner, False), up_proj=linear(width, inner, False),
                        down_proj=linear(inner, width, False)),
                input_layernorm=nn.RMSNorm(width, eps=1e-5),
                post_attention_layernorm=nn.RMSNorm(width, eps=1e-5)) for _ in range(layers)),
            norm=nn.RMSNorm(width, eps=1e-5))
        self.lm_head = linear(width, tokens, False)

    def forward(self, x):
        x = self.model.embed_tokens(x)
        for layer in self.model.layers:
            y, a = layer.input_layernorm(x), layer.self_attn
            q = rotated(heads(a.q_proj(y), self.count), self.base)
            k = rotated(heads(a.k_proj(y), self.keys), self.base)
            v = heads(a.v_proj(y), self.keys)
            k, v = (t.repeat_interleave(self.count // self.keys, 1) for t in (k, v))
            x = x + a.o_proj(attention(q, k, v, True).transpose(1, 2).flatten(2))
            y, m = layer.post_attention_layernorm(x), layer.mlp
            x = x + m.down_proj(F.silu(m.gate_proj(y)) * m.up_proj(y))
        return self.lm_head(self.model.norm(x))


class Vision(nn.Module):
    def __init__(self, size, patch, width, layers, count, classes):
        super().__init__()
        self.count = count
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, (size // patch) ** 2 + 1, width))
        self.patch_embed = Bag(proj=nn.Conv2d(3, width, patch, patch))
        self.blocks = nn.ModuleList(Bag(
            norm1=nn.LayerNorm(width, eps=1e-6), norm2=nn.LayerNorm(width, eps=1e-6),
            attn=Bag(qkv=linear(width, 3 * width), proj=linear(width, width)),
            mlp=Bag(fc1=linear(width, 4 * width), fc2=linear(4 * width, width)))
            for _ in range(layers))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = linear(width, classes)

    def forward(self, x):
        x = self.patch_embed.proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for b in self.blocks:
            parts = [heads(p, self.count) for p in b.attn.qkv(b.norm1(x)).chunk(3, -1)]
            x = x + b.attn.proj(attention(*parts, False).transpose(1, 2).flatten(2))
            x = x + b.mlp.fc2(F.gelu(b.mlp.fc1(b.norm2(x))))
        return self.head(self.norm(x)[:, 0])


class Residual(nn.Module):
    """A block of MobileNet; `name` is torchvision's for the layers inside."""

    def __init__(self, name, layers, is_sum):
        super().__init__()
        setattr(self, name, nn.Sequential(*layers))
        self.name, self.is_sum = name, is_sum

    def forward(self, x):
        y = getattr(self, self.name)(x)
        return x + y if self.is_sum else y


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        inner = divisible(channels // 4)
        self.fc1, self.fc2 = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


def divisible(channels):
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


class MobileNet(nn.Module):
    def __init__(self, v2, rows, width, last, classes):
        super().__init__()
        norm = (lambda c: nn.BatchNorm2d(c)) if v2 else (lambda c: nn.BatchNorm2d(c, 0.001, 0.01))
        scaled = lambda c: divisible(c * width)

        def conv(i, o, size, stride=1, groups=1, act=None):
            return nn.Sequential(
                nn.Conv2d(i, o, size, stride, size // 2, groups=groups, bias=False), norm(o),
                *([act()] if act else []))

        inputs = scaled(32 if v2 else 16)
        outer = nn.ReLU6 if v2 else nn.Hardswish
        layers = [conv(3, inputs, 3, 2, 1, outer)]
        for size, inner, outputs, squeezes, act, stride in rows:
            outputs = scaled(outputs)
            inner = inputs * inner if v2 else scaled(inner)
            block = [conv(inputs, inner, 1, act=act)] if inner != inputs else []
            block.append(conv(inner, inner, size, stride, inner, act))
            if squeezes:
                block.append(Squeeze(inner))
            if v2:
                block += [nn.Conv2d(inner, outputs, 1, bias=False), norm(outputs)]
            else:
                block.append(conv(inner, outputs, 1))
            layers.append(Residual(
                "conv" if v2 else "block", block, stride == 1 and inputs == outputs))
            inputs = outputs
        top = last if v2 else 6 * inputs
        layers.append(conv(inputs, top, 1, act=outer))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(), linear(top, classes)) if v2 else nn.Sequential(
            linear(top, scaled(last)), nn.Hardswish(), nn.Dropout(), linear(scaled(last), classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class Permuted(nn.Module):
    def __init__(self, *order):
        super().__init__()
        self.order = order

    def forward(self, x):
        return x.permute(self.order)


class Norm2d(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class NextBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer_scale = nn.Parameter(torch.empty(width, 1, 1))
        self.block = nn.Sequential(
            nn.Conv2d(width, width, 7, 1, 3, groups=width), Permuted(0, 2, 3, 1),
            nn.LayerNorm(width, eps=1e-6), linear(width, 4 * width), nn.GELU(),
            linear(4 * width, width), Permuted(0, 3, 1, 2))

    def forward(self, x):
        return x + self.layer_scale * self.block(x)


class ConvNeXt(nn.Module):
    def __init__(self, widths, blocks, classes):
        super().__init__()
        layers, inputs = [], 3
        for width, count in zip(widths, blocks):
            layers.append(nn.Sequential(nn.Conv2d(3, width, 4, 4), Norm2d(width, eps=1e-6))
                          if inputs == 3 else
                          nn.Sequential(Norm2d(inputs, eps=1e-6), nn.Conv2d(inputs, width, 2, 2)))
            layers.append(nn.Sequential(*[NextBlock(width) for _ in range(count)]))
            inputs = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            Norm2d(inputs, eps=1e-6), nn.Flatten(), linear(inputs, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3), keepdim=True))


def numbers(count, seed):
    """Numbers in -1 ..< 1 that Swift computes, too."""
    i = torch.arange(count, dtype=torch.float64)
    x = (i * 12.9898 + seed * 78.233).sin() * 43758.5453
    return (x - x.floor()) * 2 - 1


def record(name, network, x):
    state = []
    for key, value in network.state_dict().items():
        if value.is_floating_point():
            spread = math.sqrt(3 / value[0].numel()) if value.dim() > 1 else 0.2
            new = (numbers(value.numel(), len(state)) * spread).float().reshape(value.shape)
            if value.dim() == 1 and key.endswith(("weight", "running_var")):
                new = new.abs() + 0.8
            value.copy_(new)
            state.append([key, list(value.shape)])
    network = network.double().eval()
    with torch.no_grad():
        y = network(x.double() if x.is_floating_point() else x)
    networks[name] = {"state": state, "input": list(x.shape), "answer": y.flatten().tolist(),
                      "shape": list(y.shape)}


def picture(size):
    return numbers(2 * 3 * size * size, 1000).float().reshape(2, 3, size, size)


networks = {}
words = ((numbers(14, 1000) + 1) * 25).long().reshape(2, 7)
R, H = nn.ReLU, nn.Hardswish
V2 = [(3, t, c, False, nn.ReLU6, s if i == 0 else 1) for t, c, n, s in [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1)] for i in range(n)]
LARGE = [
    (3, 16, 16, 0, R, 1), (3, 64, 24, 0, R, 2), (3, 72, 24, 0, R, 1), (5, 72, 40, 1, R, 2),
    (5, 120, 40, 1, R, 1), (5, 120, 40, 1, R, 1), (3, 240, 80, 0, H, 2), (3, 200, 80, 0, H, 1),
    (3, 184, 80, 0, H, 1), (3, 184, 80, 0, H, 1), (3, 480, 112, 1, H, 1), (3, 672, 112, 1, H, 1),
    (5, 672, 160, 1, H, 2), (5, 960, 160, 1, H, 1), (5, 960, 160, 1, H, 1)]
SMALL = [
    (3, 16, 16, 1, R, 2), (3, 72, 24, 0, R, 2), (3, 88, 24, 0, R, 1), (5, 96, 40, 1, H, 2),
    (5, 240, 40, 1, H, 1), (5, 240, 40, 1, H, 1), (5, 120, 48, 1, H, 1), (5, 144, 48, 1, H, 1),
    (5, 288, 96, 1, H, 2), (5, 576, 96, 1, H, 1), (5, 576, 96, 1, H, 1)]
record("resnet18", ResNet([2, 2, 2, 2], False, 8, 5), picture(64))
record("resnet50", ResNet([3, 4, 6, 3], True, 4, 5), picture(64))
record("mobilenet_v2", MobileNet(True, V2, 0.25, 1280, 5), picture(64))
record("mobilenet_v3_large", MobileNet(False, LARGE, 0.25, 1280, 5), picture(64))
record("mobilenet_v3_small", MobileNet(False, SMALL, 0.25, 1024, 5), picture(64))
record("convnext", ConvNeXt([8, 16, 24, 32], [1, 1, 2, 1], 5), picture(64))
record("gpt2", GPT2(50, 16, 24, 2, 3), words)
record("llama", Llama(50, 24, 40, 2, 6, 2, 500.0), words)
record("vision", Vision(16, 8, 24, 2, 3, 5), picture(16))
pathlib.Path(sys.argv[1]).write_text(json.dumps(networks, separators=(",", ":")))
