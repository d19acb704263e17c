"""
GLIDE and unCLIP's decoder at small configs. No package has them, so the network is written here from the papers, in plain
PyTorch, with the names that OpenAI's checkpoints have.
"""

import math

import torch
from torch import nn

from fixture import randomise, write
from unet import first, images, last


class ResBlock(nn.Module):
    def __init__(self, inputs, outputs, embedding, groups, resize=None):
        super().__init__()
        self.resize = {"down": nn.AvgPool2d(2), "up": nn.Upsample(scale_factor=2), None: nn.Identity()}[resize]
        self.in_layers = nn.Sequential(
            nn.GroupNorm(groups, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, 2 * outputs))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(groups, outputs), nn.SiLU(), nn.Dropout(0), nn.Conv2d(outputs, outputs, 3, padding=1)
        )
        self.skip_connection = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, told):
        norm1, silu, conv1 = self.in_layers
        norm2, *rest = self.out_layers
        y = conv1(self.resize(silu(norm1(x))))
        scale, shift = self.emb_layers(told["embedding"])[:, :, None, None].tensor_split(2, dim=1)
        y = norm2(y) * (scale + 1) + shift
        for layer in rest:
            y = layer(y)
        return self.skip_connection(self.resize(x)) + y


def attend(queries, keys, values):
    """Softmax attention over the last axis but one, each of queries and keys scaled by the fourth root."""
    root = queries.shape[-1] ** -0.25
    return torch.softmax((queries * root) @ (keys * root).transpose(-1, -2), dim=-1) @ values


class AttentionBlock(nn.Module):
    def __init__(self, channels, head_width, groups, context):
        super().__init__()
        self.heads = channels // head_width
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.encoder_kv = nn.Conv1d(context, 2 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def parts(self, x, count):
        """Rows of heads, in each of which `count` kinds follow each other: one tensor [b h t e] of each kind."""
        b, rows, length = x.shape
        x = x.view(b, self.heads, count, rows // (self.heads * count), length)
        return [x[:, :, i].transpose(-1, -2) for i in range(count)]

    def forward(self, x, told):
        b, c, *sides = x.shape
        q, k, v = self.parts(self.qkv(self.norm(x).flatten(2)), 3)
        more_k, more_v = self.parts(self.encoder_kv(told["context"].transpose(1, 2)), 2)
        y = attend(q, torch.cat([k, more_k], dim=2), torch.cat([v, more_v], dim=2))
        return x + self.proj_out(y.transpose(-1, -2).reshape(b, c, -1)).view(x.shape)


class Block(nn.Module):
    """One block of the text transformer."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.ModuleDict({"c_qkv": nn.Linear(width, 3 * width), "c_proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def forward(self, x):
        b, t, d = x.shape
        qkv = self.attn["c_qkv"](self.ln_1(x)).view(b, t, self.heads, 3, d // self.heads)
        q, k, v = (qkv[:, :, :, i].transpose(1, 2) for i in range(3))
        x = x + self.attn["c_proj"](attend(q, k, v).transpose(1, 2).reshape(b, t, d))
        return x + self.mlp["c_proj"](nn.functional.gelu(self.mlp["c_fc"](self.ln_2(x))))


class Stages(nn.Sequential):
    def forward(self, x, told):
        for layer in self:
            x = layer(x, told) if isinstance(layer, (ResBlock, AttentionBlock)) else layer(x)
        return x


class Decoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        unet, encoder, image = config["unet"], config["text"]["encoder"], config.get("image")
        self.width, groups, context = unet["width"], unet["groups"], unet["context"]
        embedding, blocks = 4 * self.width, unet["blocks"]
        widths = [m * self.width for m in unet["multipliers"]]

        def block(inputs, outputs, resize=None):
            return ResBlock(inputs, outputs, embedding, groups, resize)

        def attention(channels):
            return AttentionBlock(channels, unet["headWidth"], groups, context)

        def attentions(level):
            return [attention(widths[level])] if unet["size"] // 2**level in unet["attention"] else []

        self.time_embed = nn.Sequential(nn.Linear(self.width, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.input_blocks = nn.ModuleList([Stages(nn.Conv2d(3, widths[0], 3, padding=1))])
        channels, left = widths[0], [widths[0]]
        for level, wide in enumerate(widths):
            for _ in range(blocks):
                self.input_blocks.append(Stages(block(channels, wide), *attentions(level)))
                channels = wide
                left.append(channels)
            if level < len(widths) - 1:
                self.input_blocks.append(Stages(block(channels, channels, "down")))
                left.append(channels)
        self.middle_block = Stages(block(channels, channels), attention(channels), block(channels, channels))
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(len(widths))):
            for i in range(blocks + 1):
                stage = [block(channels + left.pop(), widths[level]), *attentions(level)]
                channels = widths[level]
                if level > 0 and i == blocks:
                    stage.append(block(channels, channels, "up"))
                self.output_blocks.append(Stages(*stage))
        self.out = nn.Sequential(
            nn.GroupNorm(groups, channels), nn.SiLU(), nn.Conv2d(channels, unet["output"], 3, padding=1)
        )
        self.token_embedding = nn.Embedding(encoder["vocab"], context)
        self.positional_embedding = nn.Parameter(torch.zeros(encoder["context"], context))
        self.padding_embedding = nn.Parameter(torch.zeros(encoder["context"], context))
        self.transformer = nn.ModuleDict(
            {"resblocks": nn.ModuleList([Block(context, encoder["heads"]) for _ in range(encoder["layers"])])}
        )
        self.final_ln = nn.LayerNorm(context)
        self.transformer_proj = nn.Linear(context, embedding)
        if image is not None:
            self.count = image.get("tokens", 4)
            self.clip_emb = nn.Linear(image["width"], embedding)
            self.clip_tok_proj = nn.Linear(image["width"], self.count * context)
            if image.get("dropped") != "zero":
                self.cf_param = nn.Parameter(torch.zeros(image["width"]))

    def forward(self, image, time, tokens, mask, keepCaption, embedding=None, keepEmbedding=None):
        half = self.width // 2
        frequencies = torch.exp(-math.log(10_000) * torch.arange(half) / half)
        angles = time.float()[:, None] * frequencies
        emb = self.time_embed(torch.cat([angles.cos(), angles.sin()], dim=1))
        words = self.token_embedding(tokens) + self.positional_embedding
        kept = (mask > 0) & (keepCaption[:, None] > 0)
        text = torch.where(kept[:, :, None], words, self.padding_embedding)
        for block in self.transformer["resblocks"]:
            text = block(text)
        text = self.final_ln(text)
        emb = emb + self.transformer_proj(text[:, -1])
        if embedding is not None:
            null = self.cf_param if hasattr(self, "cf_param") else torch.zeros_like(embedding)
            z = torch.where(keepEmbedding[:, None] > 0, embedding, null)
            emb = emb + self.clip_emb(z)
            extra = self.clip_tok_proj(z).view(len(z), -1, self.count).transpose(1, 2)
            text = torch.cat([text, extra], dim=1)
        told = {"embedding": emb, "context": text}
        x, skips = first(image), []
        for stage in self.input_blocks:
            x = stage(x, told)
            skips.append(x)
        x = self.middle_block(x, told)
        for stage in self.output_blocks:
            x = stage(torch.cat([x, skips.pop()], dim=1), told)
        noise, variance = self.out(x).tensor_split(2, dim=1)
        return {"noise": last(noise), "variance": last(variance)}


# Non-square images, captions of different lengths, one of them dropped.
GLIDE = {
    "unet": {
        "size": 8, "width": 2, "multipliers": [1, 2], "blocks": 1, "attention": [4], "headWidth": 2, "groups": 1,
        "context": 6, "output": 6,
    },
    "text": {"kind": "encoder", "encoder": {"vocab": 7, "context": 5, "width": 6, "layers": 1, "heads": 3}},
}  # fmt: skip
UNCLIP = {**GLIDE, "image": {"width": 5, "tokens": 4}}
# One image, one head everywhere, one level of one block.
ONE = {
    "unet": {
        "size": 4, "width": 4, "multipliers": [1], "blocks": 1, "attention": [4], "headWidth": 4, "groups": 2,
        "context": 3, "output": 6,
    },
    "text": {"kind": "encoder", "encoder": {"vocab": 5, "context": 3, "width": 3, "layers": 2, "heads": 1}},
    "image": {"width": 3, "tokens": 2, "dropped": "zero"},
}  # fmt: skip


def make():
    for name, config, shape, mask, keep in [
        ("glide", GLIDE, (2, 4, 8, 3), [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], [1, 0]),
        ("unclip", UNCLIP, (2, 8, 4, 3), [[1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], [1, 0]),
        ("unclip-one-head", ONE, (1, 4, 4, 3), [[1, 1, 0]], [1]),
    ]:
        torch.manual_seed(4)
        model = Decoder(config).eval()
        randomise(model)
        batch, encoder = shape[0], config["text"]["encoder"]
        inputs = {
            "image": images(*shape),
            "time": torch.tensor([250, 8])[:batch],
            "tokens": torch.randint(0, encoder["vocab"], (batch, encoder["context"])),
            "mask": torch.tensor(mask, dtype=torch.float32),
            "keepCaption": torch.tensor(keep, dtype=torch.float32),
        }
        if "image" in config:
            # The other way round: of two images one keeps its caption and the other its embedding.
            inputs["embedding"] = images(batch, config["image"]["width"])
            inputs["keepEmbedding"] = 1 - inputs["keepCaption"] if batch > 1 else torch.ones(1)
        write(name, f"torch {torch.__version__}, from the papers", config, model, inputs, lambda given: model(**given))
