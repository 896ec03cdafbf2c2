"""The rows `gpt2.token.POSITION` of `norma bench` in PyTorch: one token of GPT-2 with a cache."""


class Block:
    def __init__(self, torch, width, heads, room):
        nn = torch.nn
        self.torch, self.heads = torch, heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.keys, self.values = (torch.randn(1, heads, room, width // heads) for _ in range(2))

    def __call__(self, x, position):
        functional = self.torch.nn.functional
        q, k, v = self.qkv(self.norm1(x)).view(1, 1, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        self.keys[:, :, position:position + 1] = k
        self.values[:, :, position:position + 1] = v
        mixed = functional.scaled_dot_product_attention(
            q, self.keys[:, :, :position + 1], self.values[:, :, :position + 1])
        x = x + self.projection(mixed.transpose(1, 2).reshape(x.shape))
        return x + self.narrow(functional.gelu(self.wide(self.norm2(x)), approximate="tanh"))


def generation_row(torch, name, shape):
    """The body and source of a row, or None where the row is another."""
    if not name.startswith("gpt2.token."):
        return None
    position, width = int(name.rsplit(".", 1)[1]), shape[1]
    layers, tokens = (12, 50257) if width == 768 else (2, 50)
    blocks = [Block(torch, width, max(width // 64, 2), position + 1) for _ in range(layers)]
    norm, table = torch.nn.LayerNorm(width), torch.randn(tokens, width)
    x = torch.randn(1, 1, width)

    def body():
        with torch.no_grad():
            y = x
            for block in blocks:
                y = block(y, position)
            return norm(y) @ table.T

    return body, x
