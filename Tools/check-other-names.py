#!/usr/bin/env python3
"""Holds the names that people type first to messages that lead to Norma's; exits with 1 where one strays.

Every line of CASES is compiled alone against the debug build; the compiler has to refuse it with a
text that holds the words behind the arrow.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

CASES = """
x.sum(axis: 1) -> sum(over:)
x.sum(dim: 0, 2) -> sum(over:)
x.mean(dim: 0) -> mean(over:)
x.mean(axis: 0, 2, 3) -> mean(over:)
x.std(dim: 0) -> std(over:)
x.var(dim: 0) -> variance(over:)
x.prod(dim: 0) -> product(over:)
x.max(dim: 0) -> max(over:)
x.amax(dim: 0) -> max(over:)
x.argmax(dim: 1) -> argmax(over:)
x.any(dim: 1) -> any(over:)
x.softmax(dim: 1) -> softmax(over:)
x.log_softmax(dim: 1) -> logSoftmax(over:)
x.logsumexp(dim: 1) -> logSumExp(over:)
x.cumsum(dim: 1) -> cumulativeSum(over:)
x.norm(dim: 1) -> norm(over:)
x.view(3, 1) -> reshaped(_:)
x.view([3, 1]) -> reshaped(_:)
x.reshape(3, 1) -> reshaped(_:)
x.permute(1, 0) -> permuted(_:)
x.transpose(0, 1) -> transposed(_:_:)
x.T -> transposed()
x.mT -> transposed()
x.t() -> transposed()
x.squeeze(0) -> squeezed(_:)
x.unsqueeze(0) -> unsqueezed(_:)
x.flatten() -> flattened()
x.expand(2, 3) -> broadcast(to:
x.tile(2, 3) -> tiled(
x.flip(0) -> flipped(over:
x.roll(1) -> rolled(1, over:
x.numel() -> count
x.dim() -> rank
x.ndim -> rank
x.size(0) -> shape[0]
x.to(.float16) -> cast(to:)
x.astype(.float32) -> cast(to:)
x.float() -> cast(to: .float32)
x.half() -> cast(to: .float16)
x.long() -> cast(to: .int64)
x.short() -> cast(to: .int16)
x.char() -> cast(to: .int8)
x.byte() -> cast(to: .uint8)
x.int8() -> cast(to: .int8)
x.uint16() -> cast(to: .uint16)
x.clone() -> not needed
x.cpu() -> not needed
x.tolist() -> array(of: Float.self)
x.numpy() -> array(of: Float.self)
x.detach() -> detached()
x.requires_grad_() -> requiringGradient()
x.clamp(min: 0) -> clamped(min:max:)
x.clip(0, 1) -> clamped(min:max:)
x.round() -> rounded()
x.square() -> squared()
x.mm(y) -> matmul(_:)
x.bmm(y) -> matmul(_:)
x.masked_fill(y, 0) -> filled(where:with:)
x.index_select(0, y) -> indexSelected(_:over:)
x.gather(0, y) -> gathered(_:over:)
x.isnan() -> isNaN()
x.allclose(y) -> allClose(to:)
x.add_(y) -> x += y
x.zero_() -> .zeros(x.shape)
Tensor.cat([x, y]) -> concatenated(_:over:)
Tensor.cat([x, y], dim: 1) -> concatenated(_:over:)
Tensor.stack([x, y], dim: 1) -> stacked(_:over:)
x > 0.5 -> .>
x > y -> .>
x <= 3 -> .<=
x == y -> .==
x == 1 -> .==
x != y -> .!=
x % y -> remainder(x, y)
x & y -> .&
x ^ y -> pow(x, 2)
"""


def main():
    build = pathlib.Path(".build/debug")
    cases = [line.split(" -> ", 1) for line in CASES.split("\n") if line]
    lines = ["import NormaTensor", "func names(_ x: Tensor, _ y: Tensor) {"]
    lines += [f"_ = {code}" for code, _ in cases] + ["}"]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "names.swift"
        source.write_text("\n".join(lines) + "\n")
        maps = []
        for name in ["CNormaLoops", "COneDNN"]:
            maps += ["-Xcc", f"-fmodule-map-file={build / f'{name}.build' / 'module.modulemap'}"]
        found = subprocess.run(
            ["swiftc", "-typecheck", "-I", build / "Modules", *maps, source],
            capture_output=True, text=True).stderr
    errors = {}
    for line, text in re.findall(r"names\.swift:(\d+):\d+: error: (.*)", found):
        errors.setdefault(int(line), []).append(text)
    problems = []
    for number, (code, words) in enumerate(cases, start=3):
        texts = errors.pop(number, [])
        if not any(words in text for text in texts):
            problems.append(f"{code}: expected a text with {words!r}, got {texts or 'none'}")
    problems += [f"line {line}: {texts}" for line, texts in errors.items()]
    if not errors and len(problems) == len(cases):
        problems = [f"names: nothing was compiled:\n{found}"]
    print("\n".join(problems) or f"names: {len(cases)} names of others lead to Norma's")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
