"""Writes gelu_tables.h, logarithm_tables.h and error_tables.h in Sources/CNormaLoops and prints the
polynomials of vector_gelu_body.h and vector_logarithms_body.h.

Each table of gelu holds 32 polynomials of degree 6 around different centers. Intervals are shorter
further out, so that the function changes by the same factor in all. The centers are
those floats where the first two coefficients are nearly floats, too (Gal's accurate tables).

    python3 Tools/fit-vector-tables.py        (needs mpmath and numpy)
"""

import pathlib

import mpmath as mp
import numpy as np

mp.mp.dps = 40
COUNT, DEGREE, END = 32, 6, mp.mpf("5.7")
FOLDER = pathlib.Path(__file__).parent.parent / "Sources/CNormaLoops/Math"


def to_float(x):
    return float(np.float32(float(x)))


def text(x):
    """A float as C writes it."""
    digits, power = to_float(x).hex().split("p")
    return digits.rstrip("0").rstrip(".") + f"p{int(power)}f"


def lines_of(name, rows, count, comment):
    """A table of C, a line of numbers for each column."""
    lines = [f"// {comment}", f"static const float norma_{name}[{count}][{COUNT}] = {{"]
    for k in range(count):
        line = "    {"
        for number, row in enumerate(rows):
            word = text(row[k]) + (", " if number + 1 < COUNT else "},")
            if len(line) + len(word.rstrip()) > 100:
                lines.append(line.rstrip())
                line = "     "
            line += word
        lines.append(line)
    return lines + ["};"]


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


def edge(y, factor=FACTOR, offset=OFFSET):
    factor, offset = mp.mpf(factor), mp.mpf(offset)
    return (-offset + mp.sqrt(offset**2 + 4 * factor * y)) / (2 * factor)


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


def center(function, scale, low, high, degree, exact):
    """A float near the middle where the first two or three coefficients lose least when they are rounded."""
    middle = np.float32(float((low + high) / 2))
    start, width = mp.mpf(float(middle)), float(high - low)
    series = mp.taylor(function, start, 10)
    fitted = interpolated(lambda t: function(start + t), low - start, high - start, degree + 1)
    offsets = np.arange(-(1 << 17), 1 << 17) * np.float64(np.spacing(middle))
    offsets = offsets[np.abs(offsets) < width * 0.03]
    first, second, third = (np.zeros_like(offsets) for _ in range(3))
    for k in range(10, -1, -1):
        first = first * offsets + float(series[k])
        if k:
            second = second * offsets + k * float(series[k])
        if k > 1:
            third = third * offsets + k * (k - 1) / 2 * float(series[k])
    first += float(fitted[0] - series[0])
    second += float(fitted[1] - series[1])
    third += float(fitted[2] - series[2])
    unit = np.spacing(np.float32(float(scale(start))))
    lost = np.maximum(
        np.abs(first - first.astype(np.float32)) / unit,
        np.abs(second - second.astype(np.float32)) * width / 2 / unit,
    )
    if exact == 3:
        lost = np.maximum(lost, np.abs(third - third.astype(np.float32)) * width**2 / 4 / unit)
    best = int(np.argmin(lost))
    return mp.mpf(float(np.float32(float(middle) + offsets[best])))


def row(function, scale, low, high, degree, exact=2):
    """A center, the coefficients of the distance from it, and the worst error of their polynomial."""
    c = center(function, scale, low, high, degree, exact)
    fitted = interpolated(lambda t: function(c + t), low - c, high - c, degree + 1)
    numbers, worst = [to_float(c)] + [to_float(v) for v in fitted], mp.mpf(0)
    for i in range(41):
        t = low - c + (high - low) * i / 40
        value = sum(mp.mpf(v) * t**k for k, v in enumerate(numbers[1:]))
        worst = max(worst, abs(value - function(c + t)) / scale(c + t))
    return numbers, worst


def table(name, function, scale, comment, edge=edge, exact=2):
    rows, worst = [], mp.mpf(0)
    for j in range(COUNT):
        low = edge(j - mp.mpf(1) / 2) if j else mp.mpf(0)
        numbers, error = row(function, scale, low, edge(j + mp.mpf(1) / 2), DEGREE, exact)
        rows.append(numbers)
        worst = max(worst, error)
    print(f"{name}: error 2^{float(mp.log(worst, 2)):.2f}")
    return lines_of(name, rows, DEGREE + 2, comment)


# MARK: Logarithms

# Mantissas run from here on, in 32 intervals of 2^18 floats, one of which has 1 in its middle.
START = 0x3F800000 - 12 * (1 << 18) - (1 << 17)


def float_of(bits):
    return float(np.array([bits], dtype=np.uint32).view(np.float32)[0])


def logarithm(name, base):
    """Centers c, factors scale / c that are nearly floats, and log c in two parts, whose first has
    15 binary places; prints the constants."""
    unit = 1 / mp.log(base)
    # The scale of p, near 1 / log base, is chosen so that the coefficient of p^2 is nearly a float.
    scales = (np.float32(float(unit)) + np.arange(-2000, 2000) * np.spacing(np.float32(float(unit))))
    squares = float(unit) / 2 / scales.astype(np.float64) ** 2
    lost = np.abs(squares - squares.astype(np.float32)) / np.spacing(squares.astype(np.float32))
    factor = float(scales.astype(np.float32)[np.argmin(lost)])
    places = mp.mpf(1 << 15)
    rows, widest = [], mp.mpf(0)
    for j in range(COUNT):
        low, high = float_of(START + (j << 18)), float_of(START + ((j + 1) << 18))
        center = 1.0
        if not low < 1 < high:
            middle, reach = (low + high) / 2, (high - low) * 0.03
            ends = np.array([middle - reach, middle + reach], dtype=np.float32).view(np.uint32)
            centers = np.arange(ends[0], ends[1], dtype=np.uint32).view(np.float32)
            quotients = factor / centers.astype(np.float64)
            rounded = quotients.astype(np.float32)
            center = float(centers[np.argmin(np.abs(quotients - rounded) / np.spacing(rounded))])
        value = mp.log(mp.mpf(center)) * unit
        first = mp.floor(value * places + mp.mpf("0.5")) / places
        rows.append([center, to_float(factor / center), float(first), to_float(value - first)])
        widest = max(widest, (high - center) / center * factor, (center - low) / center * factor)
    # log(c + d) = log c + p (1 + rest) + p^2 q(p), p = d scale / c.
    scale = mp.mpf(factor)
    rest = unit / scale - 1

    def q(p):
        if abs(p) < mp.mpf("1e-9"):
            return -unit / 2 / scale**2
        return (mp.log1p(p / scale) * unit - p * (1 + rest)) / p**2

    fitted = interpolated(q, -widest, widest, 4)
    two = mp.log(2) * unit
    first = mp.floor(two * places + mp.mpf("0.5")) / places
    print(name, "of 2:", text(first), text(two - first) if two > first else "0",
          "rest:", text(rest) if rest else "0", "q:", ", ".join(text(v) for v in fitted))
    return lines_of(
        f"{name}_table", rows, 4, f"{name}: c, scale / c, and log c in two parts.")


def write_logarithms():
    lines = [
        "#pragma once",
        "// Written by Tools/fit-vector-tables.py.",
        "",
        "// Where the first interval begins, as the bits of a float; each has 2^18 floats.",
        f"#define NORMA_LOG_START {START:#x}",
    ]
    for name, base in (("log2", mp.mpf(2)), ("log10", mp.mpf(10))):
        lines += [""] + logarithm(name, base)
    (FOLDER / "logarithm_tables.h").write_text("\n".join(lines) + "\n")


# MARK: Errors

ERFC_END = mp.mpf(4)
ERFC_FACTOR = to_float(mp.mpf("31.499") / (ERFC_END**2 + mp.mpf("1.6") * ERFC_END))
ERFC_OFFSET = to_float(1.6 * ERFC_FACTOR)
ERFINV_DEGREE = 9


def inverse_table():
    """erfinv(1 - u) for u below 1/2: a row for each power of two, by the mantissa of u."""
    rows, worst = [], mp.mpf(0)
    for j in range(COUNT):
        # Row j has numbers with j in the low five bits of the exponent's field.
        power = j + 96 - 127
        if not -24 <= power <= -2:
            rows.append([0.0] * (ERFINV_DEGREE + 2))
            continue
        function = lambda m: mp.erfinv(1 - m * mp.mpf(2) ** power)
        numbers, error = row(function, function, mp.mpf(1), mp.mpf(2), ERFINV_DEGREE, 3)
        rows.append(numbers)
        worst = max(worst, error)
    print(f"erfinv: error 2^{float(mp.log(worst, 2)):.2f}")
    return lines_of(
        "erfinv_table", rows, ERFINV_DEGREE + 2, "erfinv(1 - m 2^n), by the low five bits of n's field.")


def write_errors():
    lines = [
        "#pragma once",
        "// Written by Tools/fit-vector-tables.py. First the centers, then the coefficients from the",
        "// constant on, of the distance from the center.",
        "",
        f"// The number of x's interval is x ({text(ERFC_FACTOR)} x + {text(ERFC_OFFSET)}), rounded.",
        f"#define NORMA_ERFC_FACTOR {text(ERFC_FACTOR)}",
        f"#define NORMA_ERFC_OFFSET {text(ERFC_OFFSET)}",
        f"#define NORMA_ERFC_END {text(ERFC_END)}",
        "",
    ]
    lines += table(
        "erfc_table", mp.erfc, mp.erfc, "erfc x, relatively exact.",
        lambda y: edge(y, ERFC_FACTOR, ERFC_OFFSET), 3)
    lines += [""] + inverse_table()
    (FOLDER / "error_tables.h").write_text("\n".join(lines) + "\n")


def main():
    write_logarithms()
    write_errors()
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
    (FOLDER / "gelu_tables.h").write_text("\n".join(lines) + "\n")

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
