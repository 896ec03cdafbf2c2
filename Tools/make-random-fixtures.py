#!/usr/bin/env python3
"""Writes Tests/NormaRandomTests/Fixtures/random.json with random numbers made by PyTorch.

Needs torch (the fixtures were made by 2.13.0+cpu on a processor with AVX2). Each stream is one
generator and the draws that follow each other on it; a draw is recorded by the bits of its first
values and the FNV-1a hash of all its bytes, a stream by the hash of its state at the end.
"""
import json
import pathlib

import torch

REAL = ["float16", "bfloat16", "float32", "float64"]
NUMBERS = ["uint8", "int32", "int64"] + REAL
ALL = ["bool"] + NUMBERS
COUNTS = [3, 15, 16, 17, 1, 5000]


def little_endian(tensor):
    dense = tensor.clone(memory_format=torch.contiguous_format)
    return bytes(dense.view(torch.uint8).flatten().tolist())


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def probabilities(count, dtype):
    """The formula that the tests know too: k / 8 is exact in every type."""
    return (torch.arange(count) % 9 / 8).to(dtype)


def drawn(draw, count, dtype, a, b, generator):
    out = torch.zeros(count, dtype=dtype)
    match draw:
        case "uniform": out.uniform_(a, b, generator=generator)
        case "normal": out.normal_(a, b, generator=generator)
        case "normalStrided":
            out = torch.zeros(2 * count, dtype=dtype)[::2].normal_(a, b, generator=generator)
        case "integers": out.random_(a, b, generator=generator)
        case "integersFrom": out.random_(a, None, generator=generator)
        case "integersOfType": out.random_(generator=generator)
        case "permutation": out = torch.randperm(count, dtype=dtype, generator=generator)
        case "bernoulli": out.bernoulli_(a, generator=generator)
        case "exponential": out.exponential_(a, generator=generator)
        case "geometric": out.geometric_(a, generator=generator)
        case "cauchy": out.cauchy_(a, b, generator=generator)
        case "logNormal": out.log_normal_(a, b, generator=generator)
        case _:
            kind = getattr(torch, draw.removeprefix("bernoulliOf_"))
            out.bernoulli_(probabilities(count, kind), generator=generator)
    return out


def stream(seed, draws):
    generator = torch.Generator().manual_seed(seed)
    records = []
    for draw, dtype, count, a, b in draws:
        data = little_endian(drawn(draw, count, getattr(torch, dtype), a, b, generator))
        size = len(data) // count
        first = [data[i * size : (i + 1) * size][::-1].hex() for i in range(min(count, 3))]
        records.append(
            {"draw": draw, "dtype": dtype, "count": count, "a": str(a), "b": str(b),
             "first": first, "hash": fnv(data)})
    state = little_endian(generator.get_state())
    return {"seed": seed, "draws": records, "state": fnv(state)}


def every_count(seed, draw, dtype, a=0, b=0, counts=COUNTS):
    return stream(seed, [(draw, dtype, count, a, b) for count in counts])


streams = []
for i, dtype in enumerate(REAL):
    streams.append(every_count(i, "uniform", dtype, 0, 1))
    streams.append(every_count(42 + i, "uniform", dtype, -0.37, 0.81))
    streams.append(every_count(2**31 + i, "uniform", dtype, -1e-3, 0))
    streams.append(every_count(i, "normal", dtype, 0, 1))
    streams.append(every_count(2**63 - 1 - i, "normal", dtype, 0.3, 0.7))
    streams.append(every_count(i, "normalStrided", dtype, -2, 3.3))
    streams.append(every_count(i, "exponential", dtype, 1.5))
    streams.append(every_count(i, "cauchy", dtype, 0.25, 1.75))
    streams.append(every_count(i, "logNormal", dtype, 0.1, 0.5))
for i, dtype in enumerate(ALL):
    streams.append(every_count(i, "integersOfType", dtype))
    streams.append(every_count(i, "bernoulli", dtype, 0.3))
for i, dtype in enumerate(NUMBERS):
    streams.append(every_count(i, "integers", dtype, 3, 100))
    streams.append(every_count(i, "geometric", dtype, 0.3))
for low, high in [(0, 10), (-5, 100), (0, 2**28 - 1), (0, 2**28), (-(2**40), 2**40)]:
    streams.append(every_count(7, "integers", "int64", low, high))
for low in [0, 2**62, 2**63 - 10, -(2**63)]:
    streams.append(every_count(7, "integersFrom", "int64", low))
for dtype in ["int32", "int64", "float32", "float64"]:
    streams.append(every_count(5, "permutation", dtype))
for dtype in REAL:
    streams.append(every_count(11, f"bernoulliOf_{dtype}", "float32"))
streams.append(every_count(12, "bernoulliOf_float64", "bool"))
streams.append(every_count(7, "integers", "int64", -(2**62), 2**62))
streams.append(
    stream(2**32 + 5, [("uniform", "float32", 624, 0, 1), ("uniform", "float64", 312, 0, 1)]))
streams.append(stream(67280421310721, [
    ("normal", "float32", 5, 0, 1), ("normal", "float64", 3, 0, 1), ("uniform", "float32", 2, 0, 1),
    ("normal", "float32", 1, 0, 1), ("normal", "float32", 16, 0, 1), ("normal", "float32", 2, 0, 1),
    ("permutation", "int64", 7, 0, 0), ("bernoulli", "float32", 6, 0.5, 0)]))

generator = torch.Generator().manual_seed(2**40 + 3)
torch.randn(3, generator=generator)
state = little_endian(generator.get_state()).hex()
after = torch.rand(4, generator=generator).view(torch.int32).tolist()
fixtures = {
    "torch": torch.__version__,
    "streams": streams,
    "state": state,
    "afterState": [f"{bits:08x}" for bits in after],
}
target = pathlib.Path(__file__).parent.parent / "Tests/NormaRandomTests/Fixtures/random.json"
lines = ",\n".join(json.dumps(s, separators=(",", ":")) for s in streams)
rest = json.dumps({k: v for k, v in fixtures.items() if k != "streams"}, indent=0)
target.write_text(rest[:-2] + ',\n"streams": [\n' + lines + "\n]\n}\n")
print(target, target.stat().st_size)
