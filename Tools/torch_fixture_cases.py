"""The calls that make-torch-fixtures.py records: one function a family of operations."""

import math

import torch

UNARY = {
    "abs": (torch.abs, -3, 3),
    "neg": (torch.neg, -3, 3),
    "exp": (torch.exp, -20, 20),
    "log": (torch.log, 1e-3, 50),
    "sqrt": (torch.sqrt, 0, 50),
    "rsqrt": (torch.rsqrt, 1e-3, 50),
    "tanh": (torch.tanh, -6, 6),
    "erf": (torch.erf, -4, 4),
    "square": (torch.square, -9, 9),
    "reciprocal": (torch.reciprocal, 0.01, 9),
}
BINARY = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div@no_rounding_mode": torch.div,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}
COMPARISONS = {
    "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
}
REDUCTIONS = {
    "sum": torch.sum, "mean": torch.mean, "amax": torch.amax, "amin": torch.amin,
}
SPREADS = {
    "var": torch.var, "std": torch.std, "var_mean": torch.var_mean, "std_mean": torch.std_mean,
}
PRODUCTS = {"matmul": torch.matmul, "mm": torch.mm, "bmm": torch.bmm, "mv": torch.mv, "dot": torch.dot}
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, 3e38, -1e-40]


def unary(recorder, inputs):
    function, low, high = UNARY[recorder.name]
    recorder.add(function, inputs(4, 5, low=low, high=high))
    recorder.add(function, inputs(21, low=low, high=high)[::2])
    recorder.add(function, inputs(2, 3, 4, low=low, high=high).permute(2, 0, 1))
    recorder.add(function, inputs(0))
    recorder.add(function, torch.tensor(SPECIAL))


def binary(recorder, inputs):
    function = BINARY[recorder.name]
    recorder.add(function, inputs(5, 7), inputs(5, 7))
    recorder.add(function, inputs(4, 1, 5), inputs(3, 1))
    recorder.add(function, inputs(3, 4).t(), inputs(4, 3))
    recorder.add(function, inputs(), inputs(2, 3))
    recorder.add(function, inputs(0, 3), inputs(3))
    recorder.add(function, torch.tensor(SPECIAL), torch.tensor(SPECIAL).flip(0))
    integers = inputs(3, 4, low=-9, high=9, dtype=torch.int64)
    recorder.add(function, integers, inputs(4, low=1, high=9, dtype=torch.int64))
    recorder.add(function, integers, inputs(4))
    if recorder.name not in ("maximum", "minimum"):
        recorder.add(function, inputs(6), 2.5)
        recorder.add(function, integers, 2)
    recorder.add_error(function, inputs(2, 3), inputs(4))


def comparison(recorder, inputs):
    function = COMPARISONS[recorder.name]
    rounded = inputs(4, 5).round()
    recorder.add(function, rounded, inputs(5).round())
    recorder.add(function, rounded, 1.0)
    recorder.add(function, torch.tensor(SPECIAL), torch.tensor(SPECIAL).flip(0))
    integers = inputs(3, 4, low=-2, high=2, dtype=torch.int64)
    recorder.add(function, integers, inputs(4, low=-2, high=2, dtype=torch.int64))
    recorder.add(function, integers, inputs(4).round())
    recorder.add_error(function, inputs(2, 3), inputs(4))


def reduction(recorder, inputs):
    function = REDUCTIONS[recorder.name]
    x = inputs(3, 4, 5, 2)
    recorder.add(function, x)
    for dim in (0, -1, (0, 2), (1, 3), (0, 1, 2, 3), (0, -1)):
        recorder.add(function, x, dim=dim, keepdim=dim in (-1, (1, 3)))
    recorder.add(function, x.permute(3, 1, 0, 2), dim=(0, 2))
    recorder.add(function, inputs(200))
    recorder.add(function, inputs(30, 17), dim=0)
    recorder.add(function, torch.tensor([[1.0, math.nan], [math.inf, 2.0]]), dim=1)
    if recorder.name in ("sum", "mean"):
        recorder.add(function, inputs(3, 0), dim=1)
    else:
        recorder.add_error(function, inputs(3, 0), dim=1)
    if recorder.name == "sum":
        recorder.add(function, inputs(3, 4, low=-9, high=9, dtype=torch.int64), dim=0)
        recorder.add(function, inputs.truths(3, 4))
    if recorder.name == "mean":
        recorder.add_error(function, inputs(3, low=0, high=9, dtype=torch.int64))
    recorder.add_error(function, x, dim=4)
    recorder.add_error(function, x, dim=(1, 1))
    recorder.add_error(function, x, dim=(1, -3))


def spread(recorder, inputs):
    function = SPREADS[recorder.name]
    x = inputs(3, 4, 5, 2)
    recorder.add(function, x)
    for dim, correction in ((0, 0), (-1, 1), ((0, 2), 2), ((1, 3), 0), ((0, 2, 3), 1)):
        recorder.add(function, x, dim=dim, correction=correction, keepdim=correction == 0)
    recorder.add(function, x.permute(3, 1, 0, 2), dim=(0, 2))
    recorder.add(function, inputs(30, 17, low=99, high=101), dim=0)
    recorder.add(function, inputs(1, 3), dim=0)
    recorder.add(function, inputs(2, 0), dim=1)
    recorder.add(function, torch.full((2, 3), 7.0), dim=1)
    recorder.add_error(function, x, dim=4)
    recorder.add_error(function, x, dim=(1, 1))
    recorder.add_error(function, inputs(3, low=0, high=9, dtype=torch.int64))


def extreme_of_all(recorder, inputs):
    function = torch.max if recorder.name.startswith("max") else torch.min
    recorder.add(function, inputs(5, 7))
    recorder.add(function, torch.tensor([1.0, math.nan]))
    recorder.add(function, inputs(4, low=-9, high=9, dtype=torch.int64))
    recorder.add_error(function, inputs(0))


def where(recorder, inputs):
    def call(x, condition, y):
        return torch.where(condition, x, y)

    recorder.add(call, inputs(3, 4), inputs.truths(3, 4), inputs(3, 4))
    recorder.add(call, inputs(3, 1, 4), inputs.truths(4), inputs(2, 1))
    recorder.add(call, torch.tensor([math.nan]), torch.tensor([False, True]), inputs(2))
    recorder.add_error(call, inputs(3), inputs.truths(4), inputs(3))


def clamp(recorder, inputs):
    recorder.add(torch.clamp, inputs(5, 4), -1.0, 1.5)
    recorder.add(torch.clamp, inputs(5, 4), None, 0.5)
    recorder.add(torch.clamp, inputs(5, 4), min=-0.5)
    recorder.add(torch.clamp, inputs(5), 1.0, -1.0)
    recorder.add(torch.clamp, torch.tensor(SPECIAL), -1.0, 1.0)
    recorder.add_error(torch.clamp, inputs(5))


def views(recorder, inputs):
    x = inputs(2, 3, 4)
    calls, errors = {
        "reshape": (
            [(x, (6, 4)), (x, (2, -1)), (x, (24,)), (inputs(), (1, 1)), (inputs(0, 3), (3, 0)),
             (x.permute(2, 0, 1), (8, 3))],
            [(x, (5, 5)), (x, (-1, -1)), (x, (7, -1)), (inputs(0, 3), (0, -1))]),
        "permute": (
            [(x, (2, 0, 1)), (x, (0, 2, 1)), (x, (-1, 0, 1))],
            [(x, (0, 1)), (x, (0, 0, 1)), (x, (0, 1, 3))]),
        "transpose": ([(x, 0, 2), (x, -1, -2), (x, 1, 1)], [(x, 0, 3)]),
        "squeeze": (
            [(inputs(1, 3, 1),), (inputs(1, 3, 1), 0), (inputs(1, 3, 1), 1), (inputs(1, 3, 1), -1)],
            [(x, 3)]),
        "unsqueeze": ([(x, 0), (x, 2), (x, -1), (inputs(), 0)], [(x, 4), (x, -5)]),
        "expand": (
            [(inputs(3, 1), (3, 4)), (inputs(3, 1), (2, 3, 4)), (inputs(3, 1), (-1, 2))],
            [(x, (2, 3, 5)), (x, (3, 4)), (inputs(3), (-1, 3))]),
        "broadcast_to": ([(inputs(3, 1), (2, 3, 4)), (inputs(), (2, 0))], [(x, (3, 4))]),
        "flatten": ([(x,), (x, 1), (x, 0, 1), (inputs(),)], [(x, 2, 1), (x, 3)]),
    }[recorder.name]
    function = {"expand": lambda x, shape: x.expand(*shape)}.get(
        recorder.name, getattr(torch, recorder.name, None))
    for arguments in calls:
        recorder.add(function, *arguments)
    for arguments in errors:
        recorder.add_error(function, *arguments)


def getitem(recorder, inputs):
    def call(x, index):
        return x[index]

    x = inputs(4, 3, 5)
    for index in (
        1, -1, (0, 2), (slice(1, 3),), (slice(None), -1), (Ellipsis, 2), (0, Ellipsis, slice(2, None)),
        (slice(None, None, 2), slice(1, None, 3)), (slice(-2, None),), (slice(3, 1),),
        (None, 2), (slice(0, 99),), (Ellipsis, None, slice(None)),
    ):
        recorder.add(call, x, index)
    for index in (4, -5, (0, 0, 0, 0), (0, 3)):
        recorder.add_error(call, x, index)


def product(recorder, inputs):
    function = PRODUCTS[recorder.name]
    shapes = {
        "matmul": [((3, 4), (4, 5)), ((4,), (4,)), ((4,), (4, 5)), ((3, 4), (4,)),
                   ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((3, 0), (0, 2)), ((0, 3), (3, 2)),
                   ((9, 33), (33, 10)), ((5,), (2, 5, 3))],
        "mm": [((3, 4), (4, 5)), ((1, 1), (1, 1)), ((9, 17), (17, 5))],
        "bmm": [((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5))],
        "mv": [((3, 4), (4,)), ((17, 33), (33,))],
        "dot": [((5,), (5,)), ((0,), (0,)), ((300,), (300,))],
    }[recorder.name]
    for a, b in shapes:
        recorder.add(function, inputs(*a), inputs(*b))
    if recorder.name == "matmul":
        recorder.add(function, inputs(4, 3).t(), inputs(5, 4).t())
        recorder.add_error(function, inputs(), inputs(2))
        recorder.add_error(function, inputs(3, 4), inputs(3, 4, dtype=torch.float64))
    recorder.add_error(function, *{
        "matmul": (inputs(3, 4), inputs(3, 4)), "mm": (inputs(3, 4), inputs(3, 4)),
        "bmm": (inputs(2, 3, 4), inputs(3, 4, 5)), "mv": (inputs(3, 4), inputs(3)),
        "dot": (inputs(3), inputs(4)),
    }[recorder.name])


def factories(recorder, inputs):
    name, kind = recorder.name, torch.int64
    if name == "arange":
        for arguments in ((5,), (2, 9), (1, 10, 3), (5, 0, -2), (0.0, 1.0, 0.25), (3, 3)):
            recorder.add(torch.arange, *arguments)
        recorder.add(torch.arange, 0, 5, dtype=torch.float32)
        recorder.add_error(torch.arange, 0, 3, 0)
        recorder.add_error(torch.arange, 0, 3, -1)
        recorder.add_error(torch.arange, 10, 9, 5)
    elif name == "full":
        recorder.add(torch.full, (2, 3), 1.5)
        recorder.add(torch.full, (2, 0), 7, dtype=kind)
        recorder.add_error(torch.full, (2, -1), 7.0)
    elif name == "full_like":
        recorder.add(torch.full_like, inputs(2, 3), -2.25)
        recorder.add(torch.full_like, inputs(2, 3), 3, dtype=kind)
    else:
        function = getattr(torch, name)
        recorder.add(function, inputs(2, 3))
        recorder.add(function, inputs(4, low=0, high=9, dtype=kind))
        recorder.add(function, inputs(2, 3), dtype=torch.bool)


def batch_norm(recorder, inputs):
    function = torch.nn.functional.batch_norm
    for shape in ((6, 3), (4, 3, 5), (2, 3, 4, 4), (2, 3, 2, 3, 2)):
        for training in (True, False):
            recorder.add(
                function, inputs(*shape), inputs(3), inputs(3, low=0.5, high=2), inputs(3),
                inputs(3), training=training, momentum=0.3, eps=1e-3)
    recorder.add(function, inputs(2, 3, 4, 4), None, None, training=True)
    recorder.add(
        function, inputs(4, 3, 9, low=99, high=101), inputs(3), inputs(3, low=0.5, high=2),
        training=True)
    recorder.add(
        function, inputs(3, 4, 5, 2).permute(0, 3, 1, 2), inputs(2), inputs(2, low=0.5, high=2),
        training=True)
    recorder.add_error(function, inputs(1, 3), None, None, training=True)
    recorder.add_error(function, inputs(4, 3), inputs(2), inputs(2), training=True)
    recorder.add_error(function, inputs(4, 3), None, None, training=False)


def batch_norm_module(recorder, inputs):
    kind = getattr(torch.nn, recorder.name.removeprefix("nn."))
    tail = {"1": (5,), "2": (3, 2), "3": (2, 3, 2)}[recorder.name[-2]]
    for training in (True, False):
        recorder.add_module(kind, (3,), {}, inputs(2, 3, *tail), training)
        recorder.add_module(kind, (3, 1e-3, 0.3), {}, inputs(2, 3, *tail), training)
        recorder.add_module(
            kind, (3,), {"track_running_stats": False}, inputs(2, 3, *tail), training)
    for options in ({"momentum": None}, {"affine": False}, {"bias": False}):
        recorder.add_module(kind, (3,), options, inputs(2, 3, *tail))
    recorder.add_module(kind, (3,), {}, inputs(0, 3, *tail))
    recorder.add_module_error(kind, (3,), {}, inputs(4, 2, *tail))
    recorder.add_module_error(kind, (3,), {}, inputs(3))
    recorder.add_module_error(kind, (3,), {}, inputs(1, 3, *([1] * len(tail))))


VIEWS = [
    "reshape", "permute", "transpose", "squeeze", "unsqueeze", "expand", "broadcast_to", "flatten",
]
FAMILIES = [
    (unary, UNARY), (binary, BINARY), (comparison, COMPARISONS), (reduction, REDUCTIONS),
    (spread, SPREADS), (extreme_of_all, ["max@reduction_no_dim", "min@reduction_no_dim"]),
    (where, ["where"]), (clamp, ["clamp"]), (views, VIEWS), (getitem, ["__getitem__"]),
    (product, PRODUCTS),
    (factories, ["arange", "full", "full_like", "zeros_like", "ones_like"]),
    (batch_norm, ["nn.functional.batch_norm"]),
    (batch_norm_module, ["nn.BatchNorm1d", "nn.BatchNorm2d", "nn.BatchNorm3d"]),
]
FAMILY_OF = {name: family for family, members in FAMILIES for name in members}


def names():
    """Every entry with whether it is a module."""
    return [(name, FAMILY_OF[name] is batch_norm_module) for name in FAMILY_OF]


def fill_entry(recorder, inputs):
    FAMILY_OF[recorder.name](recorder, inputs)
