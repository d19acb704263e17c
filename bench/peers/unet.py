"""A diffusion U-Net after openai/guided-diffusion."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def norm(channels):
    return nn.GroupNorm(32, channels)


def conv(size, inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, embedding):
        super().__init__()
        self.norm1 = norm(inputs)
        self.conv1 = conv(3, inputs, outputs)
        self.time = nn.Linear(embedding, 2 * outputs)
        self.norm2 = norm(outputs)
        self.conv2 = conv(3, outputs, outputs)
        self.skip = conv(1, inputs, outputs) if inputs != outputs else nn.Identity()

    def forward(self, x, time):
        y = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.time(F.silu(time))[:, :, None, None].chunk(2, dim=1)
        y = self.norm2(y) * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.silu(y))


class Attention(nn.Module):
    def __init__(self, channels, head_width):
        super().__init__()
        self.heads = channels // head_width
        self.norm = norm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x):
        b, c, height, width = x.shape
        rows = self.norm(x).flatten(2).transpose(1, 2)
        q, k, v = (
            y.view(b, height * width, self.heads, c // self.heads).transpose(1, 2)
            for y in self.qkv(rows).split(c, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, height * width, c)
        return x + self.out(y).transpose(1, 2).reshape(b, c, height, width)


class Stage(nn.Module):
    """A residual block, attention, a change of size, each if it is there."""

    def __init__(self, residual=None, attention=None, down=None, up=None):
        super().__init__()
        self.residual, self.attention, self.down, self.up = residual, attention, down, up

    def forward(self, x, time):
        if self.residual is not None:
            x = self.residual(x, time)
        if self.attention is not None:
            x = self.attention(x)
        if self.down is not None:
            x = self.down(x)
        if self.up is not None:
            x = self.up(F.interpolate(x, scale_factor=2, mode="nearest"))
        return x


class Middle(nn.Module):
    def __init__(self, channels, head_width, embedding):
        super().__init__()
        self.before = Residual(channels, channels, embedding)
        self.attention = Attention(channels, head_width)
        self.after = Residual(channels, channels, embedding)

    def forward(self, x, time):
        return self.after(self.attention(self.before(x, time)), time)


def alpha_bars(steps):
    """The squared cosine of Nichol and Dhariwal 2021."""

    def left(t):
        return math.cos((t / steps + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = torch.tensor([min(1 - left(t + 1) / left(t), 0.999) for t in range(steps)], dtype=torch.float64)
    return torch.cumprod(1 - betas, dim=0).float()


class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, size, head_width = config["width"], config["size"], config["headWidth"]
        embedding = 4 * width
        widths = [m * width for m in config["multipliers"]]
        self.width = width
        self.time1 = nn.Linear(width, embedding)
        self.time2 = nn.Linear(embedding, embedding)
        self.input = conv(3, 3, width)

        def attention(level, channels):
            return Attention(channels, head_width) if size // 2**level in config["attention"] else None

        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        skips, channels = [width], width
        for level, wide in enumerate(widths):
            for _ in range(config["blocks"]):
                self.down.append(Stage(Residual(channels, wide, embedding), attention(level, wide)))
                channels = wide
                skips.append(channels)
            if level < len(widths) - 1:
                self.down.append(Stage(down=conv(3, channels, channels, stride=2)))
                skips.append(channels)
        self.middle = Middle(channels, head_width, embedding)
        for level, wide in reversed(list(enumerate(widths))):
            for i in range(config["blocks"] + 1):
                residual = Residual(channels + skips.pop(), wide, embedding)
                channels = wide
                up = conv(3, wide, wide) if level > 0 and i == config["blocks"] else None
                self.up.append(Stage(residual, attention(level, wide), up=up))
        self.norm = norm(width)
        self.output = conv(3, width, 3)
        self.register_buffer("alpha_bars", alpha_bars(config["steps"]))
        frequencies = 10_000 ** (-torch.arange(width // 2, dtype=torch.float64) / (width // 2))
        self.register_buffer("frequencies", frequencies.float())

    def inputs(self, batch):
        image, noise = (batch[name].permute(0, 3, 1, 2).contiguous() for name in ("image", "noise"))
        return {"image": image, "noise": noise, "time": batch["time"].long()}

    def predict(self, x, time):
        angles = time.float()[:, None] * self.frequencies
        embedding = self.time2(F.silu(self.time1(torch.cat([angles.cos(), angles.sin()], dim=1))))
        x = self.input(x)
        skips = [x]
        for stage in self.down:
            x = stage(x, embedding)
            skips.append(x)
        x = self.middle(x, embedding)
        for stage in self.up:
            x = stage(torch.cat([x, skips.pop()], dim=1), embedding)
        return self.output(F.silu(self.norm(x)))

    def forward(self, image, noise, time):
        left = self.alpha_bars[time][:, None, None, None]
        return F.mse_loss(self.predict(left.sqrt() * image + (1 - left).sqrt() * noise, time), noise)
