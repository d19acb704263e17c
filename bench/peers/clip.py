"""CLIP as openai/CLIP has it: a vision transformer or a modified ResNet, and a causal text transformer."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (y.view(b, t, self.heads, d // self.heads).transpose(1, 2) for y in self.qkv(x).split(d, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(y.transpose(1, 2).reshape(b, t, d))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.activation = QuickGelu()
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.down(self.activation(self.up(x)))


class Block(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads, causal)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def blocks(config, causal):
    return nn.ModuleList(Block(config["width"], config["heads"], causal) for _ in range(config["layers"]))


class Text(nn.Module):
    def __init__(self, config, joint):
        super().__init__()
        width = config["width"]
        self.token = nn.Embedding(config["vocab"], width)
        self.position = nn.Parameter(torch.empty(config["context"], width))
        self.blocks = blocks(config, causal=True)
        self.norm = nn.LayerNorm(width)
        self.projection = nn.Parameter(torch.empty(width, joint))

    def forward(self, tokens):
        x = self.token(tokens) + self.position
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return x[torch.arange(x.shape[0]), tokens.argmax(dim=-1)] @ self.projection


class VisionTransformer(nn.Module):
    def __init__(self, config, joint):
        super().__init__()
        width, patch = config["width"], config["patch"]
        self.patches = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_token = nn.Parameter(torch.empty(width))
        self.position = nn.Parameter(torch.empty((config["size"] // patch) ** 2 + 1, width))
        self.norm_before = nn.LayerNorm(width)
        self.blocks = blocks(config, causal=False)
        self.norm_after = nn.LayerNorm(width)
        self.projection = nn.Parameter(torch.empty(width, joint))

    def forward(self, image):
        x = self.patches(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], 1, -1), x], dim=1) + self.position
        x = self.norm_before(x)
        for block in self.blocks:
            x = block(x)
        return self.norm_after(x[:, 0]) @ self.projection


def conv(size, inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)


class Skip(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = conv(1, inputs, outputs)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(x))


class Bottleneck(nn.Module):
    def __init__(self, inputs, inner, stride):
        super().__init__()
        outputs = inner * 4
        self.conv1 = conv(1, inputs, inner)
        self.norm1 = nn.BatchNorm2d(inner)
        self.conv2 = conv(3, inner, inner)
        self.norm2 = nn.BatchNorm2d(inner)
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = conv(1, inner, outputs)
        self.norm3 = nn.BatchNorm2d(outputs)
        self.skip = Skip(inputs, outputs) if stride > 1 or inputs != outputs else None

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = F.relu(self.norm2(self.conv2(y)), inplace=True)
        y = self.norm3(self.conv3(self.pool(y)))
        skip = x if self.skip is None else self.skip(self.pool(x))
        return F.relu(y + skip, inplace=True)


class Stem(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = conv(3, 3, width // 2, stride=2)
        self.norm1 = nn.BatchNorm2d(width // 2)
        self.conv2 = conv(3, width // 2, width // 2)
        self.norm2 = nn.BatchNorm2d(width // 2)
        self.conv3 = conv(3, width // 2, width)
        self.norm3 = nn.BatchNorm2d(width)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv1(x)), inplace=True)
        x = F.relu(self.norm2(self.conv2(x)), inplace=True)
        x = F.relu(self.norm3(self.conv3(x)), inplace=True)
        return F.avg_pool2d(x, 2)


class AttentionPool(nn.Module):
    """The mean of all places asks all places and itself."""

    def __init__(self, places, width, heads, joint):
        super().__init__()
        self.heads = heads
        self.position = nn.Parameter(torch.empty(places + 1, width))
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, joint)

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1) + self.position
        b, t, d = x.shape

        def by_head(y):
            return y.view(b, -1, self.heads, d // self.heads).transpose(1, 2)

        q, k, v = by_head(self.query(x[:, :1])), by_head(self.key(x)), by_head(self.value(x))
        return self.out(F.scaled_dot_product_attention(q, k, v).reshape(b, d))


class ResNet(nn.Module):
    def __init__(self, config, joint):
        super().__init__()
        width = config["width"]
        self.stem = Stem(width)
        inputs, stages = width, []
        for i, count in enumerate(config["stages"]):
            inner = width * 2**i
            stage = nn.ModuleList()
            for j in range(count):
                stage.append(Bottleneck(inputs, inner, 2 if i > 0 and j == 0 else 1))
                inputs = inner * 4
            stages.append(stage)
        self.stages = nn.ModuleList(stages)
        self.pool = AttentionPool((config["size"] // 32) ** 2, inputs, inputs // 64, joint)

    def forward(self, image):
        x = self.stem(image)
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.pool(x)


class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        image = config["image"]
        tower = VisionTransformer if image["kind"] == "vit" else ResNet
        self.image = tower(image, config["joint"])
        self.text = Text(config["text"], config["joint"])
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def inputs(self, batch):
        image = batch["pixels"].permute(0, 3, 1, 2).contiguous()
        return {"image": image, "tokens": batch["tokens"].long(), "own": torch.arange(image.shape[0])}

    def forward(self, image, tokens, own):
        images = F.normalize(self.image(image), dim=-1)
        texts = F.normalize(self.text(tokens), dim=-1)
        logits = self.log_scale.exp() * images @ texts.T
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
