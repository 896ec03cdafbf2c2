"""PyTorch's side of the rows that train: gradients of layers, optimizers, steps of networks."""

def leaf(tensor):
    return tensor.detach().requires_grad_()


def channels_last(torch, tensor, wanted):
    return tensor.contiguous(memory_format=torch.channels_last) if wanted else tensor


def batch_norm_gradient(torch, shape, last):
    x = channels_last(torch, torch.randn(shape), last)
    upstream = channels_last(torch, torch.randn(shape), last)
    layer = torch.nn.BatchNorm2d(shape[1])

    def body():
        start = leaf(x)
        layer(start).backward(upstream)
        return start.grad

    return body, x


def residual_gradient(torch, shape, last):
    x, r, upstream = (channels_last(torch, torch.randn(shape), last) for _ in range(3))
    layer = torch.nn.BatchNorm2d(shape[1])

    def body():
        a, b = leaf(x), leaf(r)
        torch.relu(layer(a) + b).backward(upstream)
        return a.grad, b.grad

    return body, x


def norm(torch, name, shape):
    """A normalization forward, or forward and backward where the name ends so."""
    nn = torch.nn
    layer = {
        "layernorm": lambda: nn.LayerNorm(shape[-1]),
        "rmsnorm": lambda: nn.RMSNorm(shape[-1]),
        "groupnorm": lambda: nn.GroupNorm(min(32, shape[1]), shape[1]),
        "instancenorm": lambda: nn.InstanceNorm2d(shape[1], affine=True),
        "batchnorm": lambda: nn.BatchNorm2d(shape[1]),
    }[name.split(".")[0]]()
    x, upstream = torch.randn(shape), torch.randn(shape)

    def forward():
        with torch.no_grad():
            return layer(x)

    def both():
        start = leaf(x)
        layer(start).backward(upstream)
        return start.grad

    return both if name.endswith("gradient") else forward, x


def adamw(torch, shape):
    parameter = torch.nn.Parameter(torch.randn(shape))
    gradient = torch.randn(shape)
    # The fastest of PyTorch's implementations.
    optimizer = torch.optim.AdamW([parameter], lr=1e-3, fused=True)

    def body():
        parameter.grad = gradient
        optimizer.step()

    return body, gradient


def training_step(torch, network, x, labels=None, is_narrow=False, **options):
    if labels is None:
        labels = torch.randint(0, 10, (x.shape[0],))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, **options)

    def body():
        with torch.autocast("cpu", torch.bfloat16, enabled=is_narrow):
            loss = torch.nn.functional.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return body, x


def mlp_step(torch, shape):
    nn = torch.nn
    network = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    return training_step(torch, network, torch.randn(shape))


def gpt_block(torch, width, heads, share):
    """A block of a decoder: attention and a network of two layers, behind layer norms."""
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width),
                nn.Dropout(share))

        def forward(self, x):
            n, t, _ = x.shape
            q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, heads, width // heads).permute(
                2, 0, 3, 1, 4)
            mixed = functional.scaled_dot_product_attention(
                q, k, v, dropout_p=share, is_causal=True)
            x = x + self.projection(mixed.transpose(1, 2).reshape(n, t, width))
            return x + self.mlp(self.norm2(x))

    return Block()


def gpt(torch, share):
    """The language model of the command's BenchGPT.swift."""
    nn = torch.nn
    tokens, length, width, heads = 86, 128, 128, 4

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(tokens, width), nn.Embedding(length, width)
            self.dropout = nn.Dropout(share)
            self.blocks = nn.Sequential(
                *[gpt_block(torch, width, heads, share) for _ in range(4)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens)

        def forward(self, text):
            x = self.dropout(self.tokens(text) + self.positions(torch.arange(text.shape[1])))
            return self.head(self.norm(self.blocks(x))).flatten(0, 1)

    return Network()


def gpt_step(torch, shape, share):
    network, text = gpt(torch, share), torch.randint(0, 86, shape)
    targets = torch.randint(0, 86, (shape[0] * shape[1],))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-4)

    def body():
        loss = torch.nn.functional.cross_entropy(network(text), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return body, torch.zeros([*shape, 128])


def residual_block(torch):
    """The class of blocks of residual networks: inputs, outputs, stride."""
    nn, relu = torch.nn, torch.nn.functional.relu

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.shortcut = nn.Identity() if inputs == outputs else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, x):
            return relu(self.bn2(self.conv2(relu(self.bn1(self.conv1(x))))) + self.shortcut(x))

    return Block


def residual_network(torch, width, last=True):
    """The network of `norma train`: six residual blocks in three sizes."""
    nn, relu, Block = torch.nn, torch.nn.functional.relu, residual_block(torch)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
            sizes = [(1, 1, 1), (1, 1, 1), (1, 2, 2), (2, 2, 1), (2, 4, 2), (4, 4, 1)]
            self.blocks = nn.Sequential(*[Block(a * width, b * width, s) for a, b, s in sizes])
            self.fc = nn.Linear(4 * width, 10)

        def forward(self, x):
            return self.fc(self.blocks(relu(self.bn(self.conv(x)))).mean((2, 3)))

    return Network().to(
        memory_format=torch.channels_last if last else torch.contiguous_format)


def residual_step(torch, shape, width):
    x = channels_last(torch, torch.randn(shape), True)
    network = residual_network(torch, width)
    return training_step(torch, network, x, weight_decay=5e-4, nesterov=True)


def residual_evaluation(torch, shape, width):
    x = channels_last(torch, torch.randn(shape), True)
    network = residual_network(torch, width).eval()

    def body():
        with torch.no_grad():
            return network(x).argmax(1)

    return body, x


def training_row(torch, name, shape):
    """The body and source of a row, or None where the row does not train."""
    last = ".channels-last" in name
    if name.startswith("batchnorm.gradient"):
        return batch_norm_gradient(torch, shape, last)
    if name.startswith("batchnorm.residual.gradient"):
        return residual_gradient(torch, shape, last)
    if name.split(".")[0] in ("layernorm", "rmsnorm", "groupnorm", "instancenorm") \
            or name.startswith("batchnorm.small"):
        return norm(torch, name, shape)
    if name == "adamw":
        return adamw(torch, shape)
    if name == "mlp.step":
        return mlp_step(torch, shape)
    if name.startswith("gpt.step"):
        return gpt_step(torch, shape, 0.1 if name.endswith("dropout") else 0)
    if name.startswith("residual.step."):
        return residual_step(torch, shape, int(name.rsplit(".", 1)[1]))
    if name.startswith("residual.evaluation."):
        return residual_evaluation(torch, shape, int(name.rsplit(".", 1)[1]))
    return None
