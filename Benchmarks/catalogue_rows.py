"""The rows `catalogue.NAME.SIZE` of `norma bench` in PyTorch: the same operations on the same sizes."""


def tables(torch):
    """NAME -> (source, other, operation); `other` is made once, None where there is none."""
    normal = torch.randn
    def fractions(shape): return torch.rand(shape) * 0.8 + 0.1
    def integers(shape): return torch.randint(1, 100, tuple(shape))
    def another(x): return torch.randn(x.shape)
    def fraction(x): return fractions(x.shape)
    def integer(x): return integers(x.shape)
    def places(x): return torch.randint(0, x.shape[1], x.shape)
    def rows(x): return torch.randint(0, x.shape[0], (x.shape[0],))
    def columns(x): return torch.randint(0, x.shape[1], (x.shape[1],))
    def mask(x): return x > 0

    def one(operation, source=normal): return source, None, operation
    def two(operation, other=another, source=normal): return source, other, operation

    table = {}
    for name in ("abs square exp exp2 expm1 sigmoid tanh sin cos tan sinh cosh asinh atan erf erfc lgamma "
                 "digamma floor ceil trunc round frac sign sinc nan_to_num isnan isfinite "
                 "count_nonzero flip").split():
        table[name] = one(getattr(torch, name))
    for name in "sqrt rsqrt log log2 log10 log1p asin acos atanh erfinv logit prod".split():
        table[name] = one(getattr(torch, name), fractions)
    for name in ("add div maximum fmax atan2 hypot copysign fmod remainder floor_divide logaddexp "
                 "nextafter heaviside less isclose logical_and").split():
        table[name] = two(getattr(torch, name))
    table.update({
        "round.decimals": one(lambda x: torch.round(x, decimals=2)),
        "cast.int64": one(lambda x: x.to(torch.int64)),
        "cast.float64": one(lambda x: x.to(torch.float64)),
        "cast.bfloat16": one(lambda x: x.to(torch.bfloat16)),
        "add.row": two(torch.add, lambda x: torch.randn(x.shape[1])),
        "add.column": two(torch.add, lambda x: torch.randn(x.shape[0], 1)),
        "softmax.rows": one(lambda x: x.softmax(1)),
        "standardize.rows": one(lambda x: (x - x.mean(1, True)) / (x.std(1, keepdim=True) + 1e-5)),
        "lerp": two(lambda x, y: torch.lerp(x, y, 0.3)),
        "pow": two(torch.pow, fraction, fractions),
        "pow.scalar": one(lambda x: x.pow(2.5), fractions),
        "xlogy": two(torch.xlogy, fraction),
        "floor_divide.int64": two(torch.floor_divide, integer, integers),
        "bitwise_and.int64": two(torch.bitwise_and, integer, integers),
        "sum": one(torch.sum), "sum.rows": one(lambda x: x.sum(1)),
        "sum.columns": one(lambda x: x.sum(0)), "mean.rows": one(lambda x: x.mean(1)),
        "max": one(torch.max), "max.rows": one(lambda x: x.amax(1)),
        "argmax.rows": one(lambda x: x.argmax(1)), "argmax.columns": one(lambda x: x.argmax(0)),
        "max_with_indices.rows": one(lambda x: x.max(1)),
        "prod.rows": one(lambda x: x.prod(1), fractions),
        "any.rows": one(lambda x: (x > 9).any(1)),
        "logsumexp.rows": one(lambda x: x.logsumexp(1)),
        "norm": one(torch.linalg.vector_norm),
        "norm.3.rows": one(lambda x: torch.linalg.vector_norm(x, 3, dim=1)),
        "nansum.rows": one(lambda x: x.nansum(1)), "nanmean.rows": one(lambda x: x.nanmean(1)),
        "std.rows": one(lambda x: x.std(1)),
        "cumsum.rows": one(lambda x: x.cumsum(1)), "cumsum.columns": one(lambda x: x.cumsum(0)),
        "cumprod.rows": one(lambda x: x.cumprod(1)), "cummax.rows": one(lambda x: x.cummax(1)),
        "logcumsumexp.rows": one(lambda x: x.logcumsumexp(1)), "diff.rows": one(torch.diff),
        "sort.rows": one(lambda x: x.sort(dim=1, stable=True)),
        "sort.flat": one(lambda x: x.flatten().sort(dim=0, stable=True)),
        "argsort.rows": one(lambda x: x.argsort(dim=1, stable=True)),
        "topk.rows": one(lambda x: x.topk(min(10, x.shape[1]), 1)),
        "kthvalue.rows": one(lambda x: x.kthvalue(x.shape[1] // 2, 1)),
        "median.rows": one(lambda x: x.median(1)),
        "quantile.rows": one(lambda x: x.quantile(0.3, 1)),
        # Norma's unique gives all three.
        "unique": one(lambda x: x.unique(return_inverse=True, return_counts=True), integers),
        "unique.float": one(lambda x: x.unique(return_inverse=True, return_counts=True)),
        "searchsorted": two(lambda x, y: torch.searchsorted(y, x), lambda x: torch.linspace(-3, 3, 1000)),
        "bincount": one(lambda x: x.flatten().bincount(), integers),
        "histc": one(lambda x: x.histc(100, -4, 4)),
        "transpose.copy": one(lambda x: x.t().contiguous()),
        "concatenate": two(lambda x, y: torch.cat([x, y], 1)),
        "stack": two(lambda x, y: torch.stack([x, y])),
        "flip": one(lambda x: x.flip(1)), "roll": one(lambda x: x.roll(3, 1)),
        "tile": one(lambda x: x.tile((1, 2))),
        "repeat_interleave": one(lambda x: x.repeat_interleave(2, 1)),
        "tril": one(torch.tril), "pad": one(lambda x: torch.nn.functional.pad(x, (1, 1))),
        "arange": one(lambda x: torch.arange(x.numel())),
        "linspace": one(lambda x: torch.linspace(0, 1, x.numel())),
        "gather.rows": two(lambda x, i: x.gather(1, i), places),
        "scatter.rows": two(lambda x, i: x.scatter(1, i, x), places),
        "scatter_add.rows": two(lambda x, i: x.scatter_add(1, i, x), places),
        "scatter_reduce.amax": two(lambda x, i: x.scatter_reduce(1, i, x, "amax"), places),
        "index_select.rows": two(lambda x, i: x.index_select(0, i), rows),
        "index_select.columns": two(lambda x, i: x.index_select(1, i), columns),
        "index_add.rows": two(lambda x, i: x.index_add(0, i, x), rows),
        "take": two(lambda x, i: x.take(i), lambda x: torch.randint(0, x.numel(), x.shape)),
        "masked_select": two(lambda x, m: x[m], mask),
        "masked_fill": two(lambda x, m: x.masked_fill(m, 1), mask),
        "nonzero": two(lambda x, m: m.nonzero(), mask),
        "where": two(lambda x, m: torch.where(m, x, 0), mask),
        "outer": two(lambda x, y: torch.outer(x[:, 0], y), lambda x: torch.randn(x.shape[1])),
        "dot": two(lambda x, y: torch.dot(x.flatten(), y.flatten())),
        "matvec": two(lambda x, y: x @ y, lambda x: torch.randn(x.shape[1])),
        "einsum.rows": two(lambda x, y: torch.einsum("ij,ij->i", x, y)),
    })
    return table


def catalogue_row(torch, name, shape):
    """What a run does and the tensor that copies are compared with; None for other rows."""
    if not name.startswith("catalogue."):
        return None
    entry = tables(torch).get(name.removeprefix("catalogue.").rpartition(".")[0])
    if entry is None:
        return None
    source, other, operation = entry
    x = source(shape)
    more = () if other is None else (other(x),)
    try:
        operation(x, *more)
    except RuntimeError:  # quantile() refuses large tensors
        return None
    return lambda: operation(x, *more), x
