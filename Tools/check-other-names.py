#!/usr/bin/env python3
"""Checks that names from other libraries give compiler messages that lead to Norma's; exits with 1 otherwise.

Every line of CASES is compiled separately against the debug build; the compiler must reject it with a
message that contains the words after the arrow. The tables of the articles for newcomers must have the
same names in one row.

There is no `x ** 2`: an operator declared by Norma would be ambiguous for clients that import another
package with powers.
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
x ^ y -> .^ y combines bits and Booleans; powers are pow(x, 2)
exp(x) -> x.exp()
log(x) -> x.log()
sqrt(x) -> x.sqrt()
abs(x) -> x.abs()
tanh(x) -> x.tanh()
round(x) -> x.rounded()
max(x, 0) -> clamped(min: y)
min(x, 1.5) -> clamped(max: y)
max(x, y) -> maximum(x, y)
min(x, y) -> minimum(x, y)
x + parameter -> write parameter.value
x - parameter -> write parameter.value
parameter * x -> write parameter.value
parameter / parameter -> write parameter.value
module.summary(inputShape: [1, 2]) -> `: Module, Layer`
"""


ARTICLES = ["ComingFromPyTorch", "ComingFromNumPy"]


def table_rows():
    """The rows of the articles' tables: names in other libraries, and Norma's."""
    rows = []
    for article in ARTICLES:
        text = pathlib.Path(f"Sources/Norma/Norma.docc/{article}.md").read_text()
        for line in text.split("\n"):
            cells = re.split(r"(?<!\\)\|", line.strip())
            if line.startswith("| ") and len(cells) == 4:
                rows.append([cell.replace("\\|", "|") for cell in cells[1:3]])
    return rows


def missing_in_tables(code, words, rows):
    """What the tables lack for a case; nil for functions, which are listed with the methods."""
    named = re.match(r"(?:x|Tensor)\.(\w+)", code) or re.match(r"x ([^-+\s]\S*) ", code)
    if not named:
        return None
    name = re.compile(rf"(?<!\w){re.escape(named.group(1))}(?!\w)")
    ours = re.match(r"(?:x )?([\w.&^%<>=!|]+)", words).group(1)
    if any(name.search(theirs) and ours in mine for theirs, mine in rows):
        return None
    return f"{code}: no table of {ARTICLES} has {named.group(1)!r} beside {ours!r}"


def main():
    build = pathlib.Path(".build/debug")
    cases = [line.split(" -> ", 1) for line in CASES.split("\n") if line]
    lines = [
        "import NormaNN",
        "func names(_ x: Tensor, _ y: Tensor, _ parameter: Parameter, _ module: Module) {",
    ]
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
    rows = table_rows()
    tables = [missing_in_tables(code, words, rows) for code, words in cases]
    problems += [text for text in tables if text]
    problems += [f"line {line}: {texts}" for line, texts in errors.items()]
    if not found.count(" error: "):
        problems = [f"names: nothing was compiled:\n{found}"]
    print("\n".join(problems) or f"names: {len(cases)} names of others lead to Norma's")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
