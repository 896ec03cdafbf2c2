"""The rows `shape.NAME.SIZES` of `norma bench` in PyTorch: layers at the shapes that networks give them."""
from training_rows import gpt_block


def operation(torch, name, shape):
    nn, functional = torch.nn, torch.nn.functional
    if name == "layernorm.sum":
        layer = nn.LayerNorm(shape[-1])
        return lambda x: layer(x + x)
    if name == "gptblock":
        return gpt_block(torch, shape[-1], 6, 0)
    if name in ("lstm", "gru"):
        layer = getattr(nn, name.upper())(shape[-1], shape[-1], batch_first=True)
        return lambda x: layer(x)[0]
    if name == "batchnorm.evaluation":
        return nn.BatchNorm2d(shape[1]).eval()
    layers = {
        "layernorm": lambda: nn.LayerNorm(shape[-1]),
        "rmsnorm": lambda: nn.RMSNorm(shape[-1]),
        "groupnorm": lambda: nn.GroupNorm(32, shape[1]),
        "batchnorm": lambda: nn.BatchNorm2d(shape[1]),
        "instancenorm": lambda: nn.InstanceNorm2d(shape[1], affine=True),
    }
    if name in layers:
        return layers[name]()
    return {
        "gelu": functional.gelu,
        "logsoftmax": lambda x: x.log_softmax(1),
        "softmax": lambda x: x.softmax(-1),
        "maxpool": lambda x: functional.max_pool2d(x, 3, 2, 1),
        "attention": lambda x: functional.scaled_dot_product_attention(x, x, x, is_causal=True),
    }[name]


def shape_row(torch, name, shape):
    """The body and source of a row, or None where the row is another."""
    if not name.startswith("shape."):
        return None
    trains = name.endswith(".gradient")
    kind = name.removeprefix("shape.").removesuffix(".gradient").rsplit(".", 1)[0]
    x = torch.randn(shape)
    if kind == "crossentropy":
        labels = torch.randint(0, shape[1], (shape[0],))

        def loss():
            start = x.detach().requires_grad_()
            torch.nn.functional.cross_entropy(start, labels).backward()
            return start.grad

        return loss, x
    run = operation(torch, kind, shape)

    def forward():
        with torch.no_grad():
            return run(x)

    if not trains:
        return forward, x
    upstream = torch.randn(forward().shape)

    def both():
        start = x.detach().requires_grad_()
        run(start).backward(upstream)
        return start.grad

    return both, x
