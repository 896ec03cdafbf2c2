"""Fits the polynomials of Sources/CNormaLoops/Math.

Minimax fits (weighted Remez exchange). The coefficients are rounded to Float one after another,
from the lowest power up, and the rest is fitted again, so that the rounding of one is compensated by those
that follow. Prints each polynomial and its worst error in units of 2^-24 of the whole function.
Those that are computed in Double need no such care: their coefficients are rounded directly.

    python3 Tools/fit-vector-math.py [wide]        (needs mpmath and numpy)
"""

import sys

import mpmath as mp
import numpy as np

mp.mp.dps = 40
GRID = 1500


def remez(function, weight, powers, low, high):
    """The coefficients c with least max |weight * (sum c x^power - function)|, and that maximum."""
    count = len(powers) + 1
    grid = [
        (low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (i + mp.mpf(1) / 2) / GRID)
        for i in range(GRID)
    ]
    values = [(x, function(x), weight(x)) for x in grid]
    picked = [int((j + 0.5) * GRID / count) for j in range(count)]
    for _ in range(40):
        rows = mp.matrix(count, count)
        right = mp.matrix(count, 1)
        for j, index in enumerate(picked):
            x, y, w = values[index]
            for k, power in enumerate(powers):
                rows[j, k] = x**power
            rows[j, count - 1] = (-1) ** j / w
            right[j] = y
        solution = mp.lu_solve(rows, right)
        errors = [
            float(w * (sum(solution[k] * x**p for k, p in enumerate(powers)) - y))
            for x, y, w in values
        ]
        # One extreme for each run of errors of one sign.
        extremes = [0]
        for i in range(1, GRID):
            if (errors[i] > 0) == (errors[extremes[-1]] > 0):
                if abs(errors[i]) > abs(errors[extremes[-1]]):
                    extremes[-1] = i
            else:
                extremes.append(i)
        while len(extremes) > count:
            extremes.pop(0 if abs(errors[extremes[0]]) < abs(errors[extremes[-1]]) else -1)
        if len(extremes) < count or extremes == picked:
            break
        picked = extremes
    return list(solution)[: count - 1], max(abs(e) for e in errors)


def to_float(x):
    return mp.mpf(float(np.float32(float(x))))


def fit(name, function, weight, powers, low, high):
    """Prints Float coefficients: fitted again after each rounding, or all rounded directly."""
    low, high = mp.mpf(low), mp.mpf(high)
    xs = [low + (high - low) * i / 4000 for i in range(1, 4001)]
    points = [(x, function(x), weight(x)) for x in xs]

    def worst(chosen):
        return max(abs(w * (sum(c * x**p for p, c in chosen) - y)) for x, y, w in points)

    coefficients, ideal = remez(function, weight, powers, low, high)
    at_once = [(p, to_float(c)) for p, c in zip(powers, coefficients)]
    in_turn, remaining = [], list(powers)
    while remaining:
        target = lambda x: function(x) - sum(c * x**p for p, c in in_turn)
        coefficients, _ = remez(target, weight, remaining, low, high)
        in_turn.append((remaining.pop(0), to_float(coefficients[0])))
    chosen = min(at_once, in_turn, key=worst)
    print(f"{name}: {float(ideal) * 2**24:.4f} ideal, {float(worst(chosen)) * 2**24:.4f} rounded")
    for power, value in chosen:
        print(f"  x^{power}: {float(value).hex()}f  {mp.nstr(value, 9)}")


def series(function, terms, x):
    """function(x), or the sum of terms(k, x) where the closed form cancels."""
    return function(x) if abs(x) > 1e-6 else mp.fsum(terms(k, x) for k in range(10))


def wide(name, function, weight, degree, low, high):
    """Prints Double coefficients from the highest power down, as Horner's scheme takes them."""
    powers = list(range(degree + 1))
    coefficients, ideal = remez(function, weight, powers, mp.mpf(low), mp.mpf(high))
    print(f"{name}: error 2^{float(mp.log(ideal, 2)):.1f}")
    print("  " + ", ".join(float(c).hex() for c in reversed(coefficients)))


def root_series(function, terms):
    """function(sqrt(z)) as a function of z, by its series where z is small."""
    return lambda z: (
        function(mp.sqrt(z)) if z > mp.mpf("1e-9") else mp.fsum(terms(k) * z**k for k in range(6))
    )


def bessel_main():
    # I0(x) = p(z) and I1(x) = x p(z), z = x^2, below 8; from there e^x q(t) / sqrt(x), t = 8 / x.
    for order in (0, 1):
        near = lambda z: (
            mp.besseli(order, mp.sqrt(z)) / mp.sqrt(z) ** order if z > 0 else mp.mpf(1) / (1 + order)
        )
        wide(f"I{order}", near, lambda z: 1 / near(z), 10, 0, 64)

        def far(t):
            if t > mp.mpf("0.02"):
                return mp.besseli(order, 8 / t) * mp.exp(-8 / t) * mp.sqrt(8 / t)
            term = total = mp.mpf(1)
            for k in range(1, 9):
                term *= ((2 * k - 1) ** 2 - 4 * order) * t / (64 * k)
                total += term
            return total / mp.sqrt(2 * mp.pi)

        wide(f"I{order} from 8", far, lambda t: 1 / far(t), 8, 0, 1)


def wide_main():
    # 2^r = 1 + r p(r)
    wide(
        "2^r",
        lambda r: mp.log(2) if r == 0 else (mp.mpf(2) ** r - 1) / r,
        lambda r: r / mp.mpf(2) ** r,
        7,
        -0.5001,
        0.5001,
    )
    # log(1 + f) = 2 s + s z p(z), s = f / (2 + f), z = s^2
    largest = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.0001")
    wide(
        "log",
        root_series(
            lambda s: (2 * mp.atanh(s) - 2 * s) / s**3, lambda k: mp.mpf(2) / (2 * k + 3)
        ),
        lambda z: z / 2,
        4,
        0,
        largest,
    )
    # sin r = r + r z p(z), cos r = 1 - z / 2 + z^2 p(z), z = r^2
    quarter = (mp.pi / 4 * mp.mpf("1.0001")) ** 2
    wide(
        "sin",
        root_series(
            lambda r: (mp.sin(r) / r - 1) / r**2,
            lambda k: (-1) ** (k + 1) / mp.factorial(2 * k + 3),
        ),
        lambda z: z,
        3,
        0,
        quarter,
    )
    wide(
        "cos",
        root_series(
            lambda r: (mp.cos(r) - 1 + r * r / 2) / r**4,
            lambda k: (-1) ** k / mp.factorial(2 * k + 4),
        ),
        lambda z: z**2,
        3,
        0,
        quarter,
    )
    # atan t = t + t z p(z), z = t^2, up to tan(pi / 8)
    wide(
        "atan",
        root_series(
            lambda t: (mp.atan(t) / t - 1) / t**2, lambda k: mp.mpf(-1) ** (k + 1) / (2 * k + 3)
        ),
        lambda z: z,
        6,
        0,
        mp.tan(mp.pi / 8) ** 2 * mp.mpf("1.001"),
    )
    # sinh x = x + x z p(z), z = x^2 up to 1
    wide(
        "sinh",
        root_series(
            lambda x: (mp.sinh(x) / x - 1) / x**2, lambda k: 1 / mp.factorial(2 * k + 3)
        ),
        lambda z: z,
        4,
        0,
        mp.mpf("1.001"),
    )
    # erfc x = t e^(p(t) - x^2), t = 2 / (2 + x), x from 0 to 10.2
    wide(
        "erfc",
        lambda t: mp.log(mp.erfc(2 / t - 2) / t) + (2 / t - 2) ** 2,
        lambda t: mp.mpf(1),
        14,
        2 / mp.mpf("12.2"),
        1,
    )
    # lgamma(2 + v) = v p(v), v up to 1/2
    wide(
        "lgamma",
        lambda v: mp.loggamma(2 + v) / v if v else mp.digamma(2),
        lambda v: v / mp.loggamma(2 + v) if v else 1 / mp.digamma(2),
        13,
        -0.5001,
        0.5001,
    )
    # sin(pi r) = r p(z), cos(pi r) = (1/4 - z) p(z), z = r^2 up to 1/4
    wide(
        "sin pi r",
        lambda z: mp.pi * mp.sincpi(mp.sqrt(z)),
        lambda z: 1 / (mp.pi * mp.sincpi(mp.sqrt(z))),
        6,
        0,
        mp.mpf("0.25"),
    )
    wide(
        "cos pi r = (1/4 - z) p(z)",
        lambda z: mp.cospi(mp.sqrt(z)) / (0.25 - z),
        lambda z: (0.25 - z) / mp.cospi(mp.sqrt(z)),
        6,
        0,
        mp.mpf("0.249999"),
    )
    bessel_main()


def main():
    if "wide" in sys.argv:
        return wide_main()
    half_ln2 = mp.log(2) / 2 * mp.mpf("1.0001")
    # exp(r) = 1 + r + r^2 p(r)
    fit(
        "exp",
        lambda r: series(
            lambda v: (mp.exp(v) - 1 - v) / v**2,
            lambda k, v: v**k / mp.factorial(k + 2),
            r,
        ),
        lambda r: r**2 / mp.exp(r),
        [0, 1, 2, 3, 4],
        -half_ln2,
        half_ln2,
    )
    # 2^r = 1 + r p(r)
    fit(
        "exp2",
        lambda r: mp.log(2) if r == 0 else (mp.mpf(2) ** r - 1) / r,
        lambda r: r / mp.mpf(2) ** r,
        [0, 1, 2, 3, 4, 5],
        -0.5001,
        0.5001,
    )
    # log(1 + f) = f - f^2 / 2 + f^3 p(f)
    log_rest = lambda f: series(
        lambda v: (mp.log1p(v) - v + v * v / 2) / v**3,
        lambda k, v: (-v) ** k / (k + 3),
        f,
    )
    fit(
        "log",
        log_rest,
        lambda f: f**3 / mp.log1p(f) if f else mp.mpf(0),
        list(range(8)),
        mp.sqrt(0.5) - 1,
        mp.sqrt(2) - 1,
    )
    # tanh(x) = x + x s p(s), s = x^2
    tanh_rest = lambda s: (
        (mp.tanh(mp.sqrt(s)) / mp.sqrt(s) - 1) / s if s > mp.mpf("1e-12") else -mp.mpf(1) / 3
    )
    for limit in ("0.65",):
        fit(
            f"tanh below {limit}",
            tanh_rest,
            lambda s: s / (mp.tanh(mp.sqrt(s)) / mp.sqrt(s)) if s else mp.mpf(0),
            [0, 1, 2, 3, 4],
            0,
            mp.mpf(limit) ** 2,
        )
    # erf(x) = x + x p(s), s = x^2
    erf_rest = lambda s: (
        mp.erf(mp.sqrt(s)) / mp.sqrt(s) - 1 if s > 0 else 2 / mp.sqrt(mp.pi) - 1
    )
    for limit, degree in (("0.875", 5),):
        fit(
            f"erf below {limit}, degree {degree}",
            erf_rest,
            lambda s: 1 / (1 + erf_rest(s)),
            list(range(degree + 1)),
            0,
            mp.mpf(limit) ** 2,
        )
    # erfc(x) = 2^p(x)
    for low, degree in (("0.875", 6),):
        fit(
            f"erfc from {low}, degree {degree}",
            lambda x: mp.log(mp.erfc(x), 2),
            lambda x: mp.erfc(x) * mp.log(2),
            list(range(degree + 1)),
            low,
            "3.93",
        )
    # sin(r) = r + r s p(s), cos(r) = 1 - s / 2 + s^2 p(s), s = r^2
    quarter = (mp.pi / 4 * mp.mpf("1.0001")) ** 2
    sin_rest = lambda s: series(
        lambda v: (mp.sin(mp.sqrt(v)) / mp.sqrt(v) - 1) / v,
        lambda k, v: -((-v) ** k) / mp.factorial(2 * k + 3),
        s,
    )
    fit("sin", sin_rest, lambda s: s / (1 + s * sin_rest(s)), [0, 1, 2], 0, quarter)
    cos_rest = lambda s: series(
        lambda v: (mp.cos(mp.sqrt(v)) - 1 + v / 2) / v**2,
        lambda k, v: (-v) ** k / mp.factorial(2 * k + 4),
        s,
    )
    fit("cos", cos_rest, lambda s: s**2 / mp.cos(mp.sqrt(s)), [0, 1, 2], 0, quarter)
    # f(x) = x (c + s (c' + s p(s))), s = x^2, with the first two terms of the series
    half = mp.mpf("0.2501")
    for name, function, degree, high in (
        ("asin", mp.asin, 5, half),
        ("atan", mp.atan, 5, half),
        ("tan", mp.tan, 6, quarter),
        ("erfinv", mp.erfinv, 5, half),
    ):
        terms = mp.taylor(function, 0, 25)

        def rest(s):
            if s < mp.mpf("1e-3"):
                return mp.fsum(terms[5 + 2 * k] * s**k for k in range(10))
            x = mp.sqrt(s)
            return (function(x) / x - terms[1] - terms[3] * s) / s**2

        weight = lambda s: s**2 / (terms[1] + s * (terms[3] + s * rest(s)))
        fit(name, rest, weight, list(range(degree + 1)), 0, high)


if __name__ == "__main__":
    main()
