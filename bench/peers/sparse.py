"""DALL·E's sparse transformer with dense masks: what PyTorch offers, and what implementations of it use."""

import torch
import torch.nn.functional as F
from torch import nn


def sees(pattern, columns, kernel, distance):
    """Whether an image token sees the one that far before it in raster order."""
    if distance < 0:
        return False
    if pattern == "row":
        return distance <= columns
    if pattern == "column":
        return distance % columns == 0
    radius = kernel // 2
    return any(abs(distance - y * columns) <= radius for y in range(radius + 1))


def dense_mask(pattern, text, rows, columns, kernel=11):
    """True where a query, the first axis, sees a key: all text before it, and of the image what the pattern says."""
    image = rows * columns
    by_distance = torch.tensor([sees(pattern, columns, kernel, d) for d in range(-image + 1, image)])
    places = torch.arange(image)
    mask = torch.ones(text + image, text + image, dtype=torch.bool).tril()
    mask[text:, text:] = by_distance[places[:, None] - places[None, :] + image - 1]
    return mask


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x, mask):
        b, t, d = x.shape
        q, k, v = (y.view(b, t, self.heads, d // self.heads).transpose(1, 2) for y in self.qkv(x).split(d, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(b, t, d))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)

    def forward(self, x, mask):
        x = x + self.attention(self.norm1(x), mask)
        return x + self.mlp(self.norm2(x))


class Text(nn.Module):
    def __init__(self, classes, places, width):
        super().__init__()
        self.token = nn.Embedding(classes, width)
        self.position = nn.Parameter(torch.empty(places, width))


class Image(nn.Module):
    def __init__(self, classes, rows, columns, width):
        super().__init__()
        self.token = nn.Embedding(classes, width)
        self.row = nn.Parameter(torch.empty(rows, width))
        self.column = nn.Parameter(torch.empty(columns, width))


class Unembedding(nn.Module):
    def __init__(self, text, image, width):
        super().__init__()
        self.text = nn.Parameter(torch.empty(text, width))
        self.image = nn.Parameter(torch.empty(image, width))


class Transformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, text, rows, columns = (config[name] for name in ("width", "text", "rows", "columns"))
        classes = config["textVocab"] + text
        self.length = text
        self.text = Text(classes, text, width)
        self.image = Image(config["imageVocab"], rows, columns, width)
        self.blocks = nn.ModuleList(Block(width, config["heads"]) for _ in range(config["layers"]))
        self.norm = nn.LayerNorm(width)
        self.unembedding = Unembedding(classes, config["imageVocab"], width)
        last = config["layers"] - 1
        self.patterns = ["convolution" if i == last else "column" if i % 4 == 1 else "row" for i in range(last + 1)]
        for pattern in set(self.patterns):
            self.register_buffer(pattern, dense_mask(pattern, text, rows, columns))

    def forward(self, tokens, codes):
        text = self.text.token(tokens) + self.text.position
        places = (self.image.row[:, None] + self.image.column[None, :]).flatten(0, 1)
        image = self.image.token(codes) + places
        x = torch.cat([text, image], dim=1)
        for pattern, block in zip(self.patterns, self.blocks):
            x = block(x, getattr(self, pattern))
        x = self.norm(x)
        # The last text position predicts the first code, and the last code predicts nothing.
        return F.linear(x[:, : self.length - 1], self.unembedding.text), F.linear(
            x[:, self.length - 1 : -1], self.unembedding.image
        )


class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.vocab, self.length = config["textVocab"], config["text"]
        self.logits = Transformer(config)

    def inputs(self, batch):
        paddings = torch.arange(self.vocab, self.vocab + self.length)
        tokens = torch.where(batch["mask"] > 0.5, batch["tokens"].long(), paddings)
        return {"tokens": tokens, "codes": batch["codes"].long()}

    def forward(self, tokens, codes):
        text, image = self.logits(tokens, codes)
        text_loss = F.cross_entropy(text.flatten(0, 1), tokens[:, 1:].flatten())
        image_loss = F.cross_entropy(image.flatten(0, 1), codes.flatten())
        return text_loss / 8 + 7 * image_loss / 8
