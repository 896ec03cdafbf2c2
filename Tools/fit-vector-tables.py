"""Writes Sources/CNormaLoops/gelu_tables.h and prints the polynomials of vector_gelu_body.h.

Each table holds 32 polynomials of degree 6 around centers of their own. An interval is the shorter
the further out it lies, so that the function changes by the same factor in all. The centers are
those floats where the first two coefficients are nearly floats, too (Gal's accurate tables).

    python3 Tools/fit-vector-tables.py        (needs mpmath and numpy)
"""

import pathlib

import mpmath as mp
import numpy as np

mp.mp.dps = 40
COUNT, DEGREE, END = 32, 6, mp.mpf("5.7")
PATH = pathlib.Path(__file__).parent.parent / "Sources/CNormaLoops/gelu_tables.h"


def to_float(x):
    return float(np.float32(float(x)))


def text(x):
    """A float as C writes it."""
    digits, power = to_float(x).hex().split("p")
    return digits.rstrip("0").rstrip(".") + f"p{int(power)}f"


def bell(a):
    return mp.exp(-a * a / 2) / mp.sqrt(2 * mp.pi)


def share(a):
    """What the normal distribution has beyond a: gelu(x) = max(x, 0) - |x| share(|x|)."""
    return mp.erfc(a / mp.sqrt(2)) / 2


def slope(a):
    """gelu'(-a), which is 1 - gelu'(a)."""
    return share(a) - a * bell(a)


# The number of the interval: a (FACTOR a + OFFSET), rounded.
FACTOR = to_float(mp.mpf("31.499") / (END**2 + mp.mpf("1.6") * END))
OFFSET = to_float(1.6 * FACTOR)


def edge(y):
    return (-OFFSET + mp.sqrt(mp.mpf(OFFSET) ** 2 + 4 * mp.mpf(FACTOR) * y)) / (2 * mp.mpf(FACTOR))


def interpolated(function, low, high, count):
    """The coefficients of the polynomial through `function` at Chebyshev's nodes."""
    nodes = [
        (low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count))
        for i in range(count)
    ]
    powers = mp.matrix(count, count)
    values = mp.matrix(count, 1)
    for i, x in enumerate(nodes):
        values[i] = function(x)
        for k in range(count):
            powers[i, k] = x**k
    return list(mp.lu_solve(powers, values))


def center(function, scale, low, high):
    """A float near the middle where the first two coefficients lose least when they are rounded."""
    middle = np.float32(float((low + high) / 2))
    start, width = mp.mpf(float(middle)), float(high - low)
    series = mp.taylor(function, start, 10)
    fitted = interpolated(lambda t: function(start + t), low - start, high - start, DEGREE + 1)
    offsets = np.arange(-(1 << 17), 1 << 17) * np.float64(np.spacing(middle))
    offsets = offsets[np.abs(offsets) < width * 0.03]
    first, second = np.zeros_like(offsets), np.zeros_like(offsets)
    for k in range(10, -1, -1):
        first = first * offsets + float(series[k])
        if k:
            second = second * offsets + k * float(series[k])
    first += float(fitted[0] - series[0])
    second += float(fitted[1] - series[1])
    unit = np.spacing(np.float32(float(scale(start))))
    lost = np.maximum(
        np.abs(first - first.astype(np.float32)) / unit,
        np.abs(second - second.astype(np.float32)) * width / 2 / unit,
    )
    best = int(np.argmin(lost))
    return mp.mpf(float(np.float32(float(middle) + offsets[best])))


def table(name, function, scale, comment):
    rows, worst = [], mp.mpf(0)
    for j in range(COUNT):
        low = edge(j - mp.mpf(1) / 2) if j else mp.mpf(0)
        high = edge(j + mp.mpf(1) / 2)
        c = center(function, scale, low, high)
        fitted = interpolated(lambda t: function(c + t), low - c, high - c, DEGREE + 1)
        rows.append([to_float(c)] + [to_float(v) for v in fitted])
        for i in range(41):
            t = low - c + (high - low) * i / 40
            value = sum(mp.mpf(v) * t**k for k, v in enumerate(rows[-1][1:]))
            worst = max(worst, abs(value - function(c + t)) / scale(c + t))
    print(f"{name}: error 2^{float(mp.log(worst, 2)):.2f}")
    lines = [f"// {comment}", f"static const float norma_{name}[{DEGREE + 2}][{COUNT}] = {{"]
    for k in range(DEGREE + 2):
        line = "    {"
        for number, row in enumerate(rows):
            word = text(row[k]) + (", " if number + 1 < COUNT else "},")
            if len(line) + len(word.rstrip()) > 100:
                lines.append(line.rstrip())
                line = "     "
            line += word
        lines.append(line)
    return lines + ["};"]


def main():
    lines = [
        "#pragma once",
        "// Written by Tools/fit-vector-tables.py. First the centers, then the coefficients from the",
        "// constant on, of the distance from the center.",
        "",
        f"// The number of a's interval is a ({text(FACTOR)} a + {text(OFFSET)}), rounded.",
        f"#define NORMA_GELU_FACTOR {text(FACTOR)}",
        f"#define NORMA_GELU_OFFSET {text(OFFSET)}",
        f"#define NORMA_GELU_END {text(END)}",
        "",
    ]
    lines += table(
        "gelu_share", share, share, "What the normal distribution has beyond a, relatively exact.")
    lines.append("")
    lines += table(
        "gelu_slopes", slope, lambda a: max(abs(slope(a)), a * bell(a)),
        "gelu'(-a), exact at the scale of its larger term.")
    PATH.write_text("\n".join(lines) + "\n")

    # Beyond, a share(a) = bell(a) (1 - v p(v)) and -slope(a) = a bell(a) (1 - v p(v)), v = 1 / a^2.
    def ratio(v):
        a = 1 / mp.sqrt(v)
        return a * share(a) / bell(a)

    for name, function, degree in (
        ("share", lambda v: (1 - ratio(v)) / v, 5), ("slope", ratio, 4)):
        low, high = mp.mpf(1) / 225, 1 / (END - mp.mpf("0.01")) ** 2
        fitted = interpolated(function, low, high, degree + 1)
        print(name, "from", text(END), ", ".join(text(v) for v in fitted))


if __name__ == "__main__":
    main()
