#!/usr/bin/env python3
"""Writes Tests/NormaNNTests/Fixtures/sequences.safetensors: results and gradients of PyTorch's
recurrent, attention and transformer layers in float64, and their initial float32 parameters.

usage: make-sequence-fixtures.py FILE        (needs torch)

Names: CASE/in.NAME, CASE/state.NAME, CASE/out.I, CASE/grad.NAME (of inputs and parameters, for the
sum of all outputs weighted with cos(0), cos(1), ...), CASE/second.NAME (gradients of the sum of
squares of the first input's gradient).
"""
import json
import pathlib
import struct
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

tensors = {}
TYPES = {torch.float32: "F32", torch.float64: "F64", torch.bool: "BOOL"}


def write_safetensors(path):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.numpy().tobytes()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for part in value if part is not None for t in flat(part)]


def record(name, module, inputs, call, second=False):
    """Runs call(inputs) and keeps everything."""
    module = module.double()
    inputs = {key: (value.double().requires_grad_() if value.is_floating_point() else value)
              for key, value in inputs.items()}
    for parameter in module.parameters():
        parameter.data.uniform_(-0.9, 0.9)
    for key, value in inputs.items():
        tensors[f"{name}/in.{key}"] = value.detach().clone().contiguous()
    for key, value in module.state_dict().items():
        tensors[f"{name}/state.{key}"] = value.clone().contiguous()
    outputs = flat(call(inputs))
    loss = 0
    for index, output in enumerate(outputs):
        tensors[f"{name}/out.{index}"] = output.detach().clone().contiguous()
        if output.is_floating_point():
            weights = torch.arange(output.numel(), dtype=torch.float64).cos()
            loss = loss + (output.reshape(-1) * weights).sum()
    leaves = {f"in.{k}": v for k, v in inputs.items() if v.requires_grad}
    leaves |= {f"state.{k}": v for k, v in module.named_parameters()}
    keys = list(leaves)
    gradients = torch.autograd.grad(
        loss, [leaves[k] for k in keys], create_graph=second, allow_unused=True)
    for key, gradient in zip(keys, gradients):
        if gradient is not None:
            tensors[f"{name}/grad.{key}"] = gradient.detach().clone().contiguous()
    if second:
        again = torch.autograd.grad(
            (gradients[0] ** 2).sum(), [leaves[k] for k in keys], allow_unused=True)
        for key, gradient in zip(keys, again):
            if gradient is not None:
                tensors[f"{name}/second.{key}"] = gradient.clone().contiguous()


def recurrent():
    x = torch.randn(5, 3, 4)
    for kind, make in {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}.items():
        def states(layers, size=3, hidden=3):
            both = {"h": torch.randn(layers, 3, size), "c": torch.randn(layers, 3, hidden)}
            return both if kind == "lstm" else {"h": both["h"]}

        def state(inputs):
            if "h" not in inputs:
                return None
            return (inputs["h"], inputs["c"]) if kind == "lstm" else inputs["h"]

        plain = lambda m: lambda i: m(i["x"], state(i))
        def case(name, module, inputs, call=None, second=False):
            record(f"{kind}.{name}", module, inputs, call or plain(module), second)

        case("plain", make(4, 3), {"x": x}, second=True)
        case("states", make(4, 3), {"x": x} | states(1), second=True)
        case("no_bias", make(4, 3, bias=False), {"x": x})
        case("batch_first", make(4, 3, batch_first=True),
             {"x": x.transpose(0, 1)} | states(1))
        case("layers", make(4, 3, num_layers=3, bidirectional=True), {"x": x} | states(6))
        case("unbatched", make(4, 3, num_layers=2), {"x": x[:, 0]})

        packed = make(4, 3, num_layers=2, bidirectional=True)
        def run(inputs):
            y, last = packed(
                pack_padded_sequence(inputs["x"], [5, 2, 4], enforce_sorted=False), state(inputs))
            return pad_packed_sequence(y)[0], last
        case("lengths", packed, {"x": x} | states(4), run)
    record("rnn.relu", (m := nn.RNN(4, 3, nonlinearity="relu")), {"x": x}, lambda i: m(i["x"]), True)
    p = nn.LSTM(4, 3, num_layers=2, bidirectional=True, proj_size=2)
    record("lstm.projection", p,
           {"x": x, "h": torch.randn(4, 3, 2), "c": torch.randn(4, 3, 3)},
           lambda i: p(i["x"], (i["h"], i["c"])))
    for name, cell in {"rnn_cell": nn.RNNCell(4, 3), "gru_cell": nn.GRUCell(4, 3)}.items():
        record(name, cell, {"x": x[0], "h": torch.randn(3, 3)}, lambda i: cell(i["x"], i["h"]))
    cell = nn.LSTMCell(4, 3)
    record("lstm_cell", cell, {"x": x[0], "h": torch.randn(3, 3), "c": torch.randn(3, 3)},
           lambda i: cell(i["x"], (i["h"], i["c"])))


def attention():
    q, k, v = torch.randn(5, 3, 8), torch.randn(6, 3, 8), torch.randn(6, 3, 8)
    padding = torch.zeros(3, 6, dtype=torch.bool)
    padding[0, 4:] = True
    padding[2, :2] = True
    blocked = torch.zeros(5, 6, dtype=torch.bool)
    blocked[0, 1:] = True
    blocked[3, :3] = True

    def case(name, module, inputs, second=False, **options):
        record(f"attention.{name}", module, inputs,
               lambda i: module(i["q"], i["k"], i["v"],
                                **{key: (i[key] if key in i else value)
                                   for key, value in options.items()}), second)

    three = {"q": q, "k": k, "v": v}
    case("plain", nn.MultiheadAttention(8, 2), three, second=True)
    case("no_bias", nn.MultiheadAttention(8, 4, bias=False), three, average_attn_weights=False)
    case("batch_first", nn.MultiheadAttention(8, 2, batch_first=True),
         {"q": q.transpose(0, 1), "k": k.transpose(0, 1), "v": v.transpose(0, 1)})
    case("padding", nn.MultiheadAttention(8, 2), three | {"key_padding_mask": padding},
         key_padding_mask=None)
    case("mask", nn.MultiheadAttention(8, 2), three | {"attn_mask": blocked}, attn_mask=None)
    case("added", nn.MultiheadAttention(8, 2), three | {"attn_mask": torch.randn(6, 5, 6)},
         attn_mask=None)
    case("both", nn.MultiheadAttention(8, 2),
         three | {"attn_mask": torch.randn(5, 6), "key_padding_mask": padding},
         attn_mask=None, key_padding_mask=None)
    case("bias_kv", nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True),
         three | {"key_padding_mask": padding, "attn_mask": blocked},
         key_padding_mask=None, attn_mask=None)
    case("sizes", nn.MultiheadAttention(8, 2, kdim=5, vdim=7),
         {"q": q, "k": k[..., :5], "v": torch.randn(6, 3, 7)})
    case("unbatched", nn.MultiheadAttention(8, 2), {"q": q[:, 0], "k": k[:, 0], "v": v[:, 0]})
    same = nn.MultiheadAttention(8, 2, batch_first=True)
    record("attention.self", same, {"q": q}, lambda i: same(
        i["q"], i["q"], i["q"], need_weights=False)[0])


def transformers():
    source, target = torch.randn(5, 3, 8), torch.randn(4, 3, 8)
    padding = torch.zeros(3, 5, dtype=torch.bool)
    padding[1, 3:] = True
    causal = nn.Transformer.generate_square_subsequent_mask(4).double()
    options = {"dim_feedforward": 12, "dropout": 0.0}
    for name, more in {"plain": {}, "norm_first": {"norm_first": True, "activation": "gelu"},
                       "no_bias": {"bias": False, "batch_first": True, "layer_norm_eps": 1e-3}
                       }.items():
        layer = nn.TransformerEncoderLayer(8, 2, **options, **more)
        inputs = {"x": source.transpose(0, 1) if name == "no_bias" else source,
                  "padding": padding}
        record(f"encoder_layer.{name}", layer, inputs,
               lambda i: layer(i["x"], src_key_padding_mask=i["padding"]))
        decoder = nn.TransformerDecoderLayer(8, 2, **options, **more)
        both = {"x": target, "memory": source, "padding": padding, "mask": causal}
        if name == "no_bias":
            both |= {"x": target.transpose(0, 1), "memory": source.transpose(0, 1)}
        record(f"decoder_layer.{name}", decoder, both, lambda i: decoder(
            i["x"], i["memory"], tgt_mask=i["mask"], memory_key_padding_mask=i["padding"]))
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, **options), 2, nn.LayerNorm(8))
    record("encoder", stack, {"x": source}, lambda i: stack(i["x"]))
    whole = nn.Transformer(8, 2, 2, 2, **options, batch_first=True)
    record("transformer", whole, {"x": source.transpose(0, 1), "y": target.transpose(0, 1)},
           lambda i: whole(i["x"], i["y"], tgt_is_causal=True, tgt_mask=causal))


def initial():
    makers = {
        "lstm": lambda: nn.LSTM(4, 3, num_layers=2, bidirectional=True, proj_size=2),
        "gru_cell": lambda: nn.GRUCell(4, 3),
        "attention": lambda: nn.MultiheadAttention(8, 2, add_bias_kv=True),
        "attention_sizes": lambda: nn.MultiheadAttention(8, 2, kdim=5, vdim=7),
        "encoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12), 2),
        "transformer": lambda: nn.Transformer(8, 2, 1, 1, 12),
    }
    for name, make in makers.items():
        torch.manual_seed(0)
        for key, value in make().state_dict().items():
            tensors[f"initial.{name}/state.{key}"] = value.clone().contiguous()


torch.manual_seed(1)
recurrent()
attention()
transformers()
initial()
write_safetensors(sys.argv[1])
print(len(tensors), "tensors")
