"""Fits the polynomials of Sources/CNormaLoops/vector_math_body.h.

Minimax fits (weighted Remez exchange). The coefficients are rounded to Float one after another,
from the lowest power up, and the rest is fitted again, so that rounding one is made good by those
that follow. Prints each polynomial and its worst error in units of 2^-24 of the whole function.

    python3 Tools/fit-vector-math.py        (needs mpmath and numpy)
"""

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
    """Prints Float coefficients: fitted again after each rounding, or all rounded at once."""
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


def main():
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


if __name__ == "__main__":
    main()
