"""
The sparse transformer with dense masks, written in PyTorch from the paper: there is no public code of its masks.

One softmax runs over all positions of the sequence, with minus infinity where a mask is false.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from fixture import randomise, write


def image_mask(kind, rows, columns, kernel):
    """Which earlier image tokens each image token sees, from their rows and columns (figure 11 of the paper)."""
    size = rows * columns
    mask = np.zeros((size, size), dtype=bool)
    for i in range(size):
        for j in range(i + 1):
            if kind == "row":
                # As many tokens before it as a row has, and itself.
                mask[i, j] = j >= i - columns
            elif kind == "column":
                mask[i, j] = i % columns == j % columns
            else:
                # A square of the image laid out on a line: what leaves it at one side comes back at the other, a row off.
                reach = kernel // 2
                mask[i, j] = any(
                    j == (i // columns - up) * columns + i % columns + aside
                    for up in range(reach + 1)
                    for aside in range(-reach, reach + 1)
                )
    return mask


def full_mask(kind, config):
    text, rows, columns = config["text"], config["rows"], config["columns"]
    total = text + rows * columns
    mask = np.zeros((total, total), dtype=bool)
    mask[:text, :text] = np.tril(np.ones((text, text), dtype=bool))
    mask[text:, :text] = True
    mask[text:, text:] = image_mask(kind, rows, columns, config["kernel"])
    return torch.from_numpy(mask)


def kinds(layers):
    """Layers count from 1: column where (i - 2) mod 4 = 0, the last is convolutional, all others are row."""
    return [
        "convolution" if i == layers else "column" if (i - 2) % 4 == 0 else "row" for i in range(1, layers + 1)
    ]


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["width"]
        hidden = config.get("mlp", 4 * width)
        self.heads = config["heads"]
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.project = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x, mask):
        y = self.ln_1(x)
        q, k, v = (part(y).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.project(attended.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))


class Sparse(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        width, text = config["width"], config["text"]
        # A padding for each position after the words.
        self.words = nn.Embedding(config["textVocab"] + text, width)
        self.places = nn.Parameter(torch.zeros(text, width))
        self.codes = nn.Embedding(config["imageVocab"], width)
        self.rows = nn.Parameter(torch.zeros(config["rows"], width))
        self.columns = nn.Parameter(torch.zeros(config["columns"], width))
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["layers"]))
        self.norm = nn.LayerNorm(width)
        self.output_text = nn.Linear(width, config["textVocab"] + text, bias=False)
        self.output_image = nn.Linear(width, config["imageVocab"], bias=False)

    def forward(self, tokens, mask, codes):
        config = self.config
        text = self.words(self.padded(tokens, mask)) + self.places
        image = self.codes(codes) + (self.rows[:, None] + self.columns[None]).flatten(0, 1)
        x = torch.cat([text, image], 1)
        masks = {kind: full_mask(kind, config) for kind in ("row", "column", "convolution")}
        for kind, layer in zip(kinds(config["layers"]), self.layers):
            x = layer(x, masks[kind])
        x = self.norm(x)
        return {
            "text": self.output_text(x[:, : config["text"]]),
            "image": self.output_image(x[:, config["text"] - 1 : -1]),
        }

    def padded(self, tokens, mask):
        return torch.where(mask.bool(), tokens, self.config["textVocab"] + torch.arange(self.config["text"]))

    def loss(self, outputs, tokens, mask, codes):
        """An eighth of the text's and seven eighths of the image's cross-entropy; paddings are predicted."""
        labels = self.padded(tokens, mask)
        text = F.cross_entropy(outputs["text"][:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        image = F.cross_entropy(outputs["image"].flatten(0, 1), codes.flatten())
        return {"textLoss": text, "imageLoss": image, "loss": text / 8 + 7 * image / 8}


def make():
    for name, config, lengths in [
        (
            "sparse",
            {"textVocab": 7, "imageVocab": 5, "text": 4, "rows": 3, "columns": 5, "width": 12, "layers": 3, "heads": 3, "kernel": 3},
            [4, 2],
        ),
        (
            "sparse-one-head",
            {"textVocab": 3, "imageVocab": 6, "text": 3, "rows": 4, "columns": 3, "width": 6, "layers": 7, "heads": 1, "mlp": 5, "kernel": 5},
            [1],
        ),
    ]:
        torch.manual_seed(5)
        model = Sparse(config)
        randomise(model, 0.3)
        batch, places = len(lengths), config["rows"] * config["columns"]
        mask = torch.tensor([[float(t < length) for t in range(config["text"])] for length in lengths])
        inputs = {
            "tokens": torch.randint(0, config["textVocab"], (batch, config["text"])),
            "mask": mask,
            "codes": torch.randint(0, config["imageVocab"], (batch, places)),
        }

        def forward(given):
            outputs = model(**given)
            return {**outputs, **model.loss(outputs, **given)}

        write(name, f"torch {torch.__version__}, dense masks written from the paper", config, model, inputs, forward)
