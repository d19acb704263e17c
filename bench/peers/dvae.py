"""The discrete VAE of DALL·E, as openai/DALL-E has its encoder and decoder."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def conv(size, inputs, outputs):
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


class Block(nn.Module):
    def __init__(self, inputs, outputs, kernels, gain):
        super().__init__()
        inner = outputs // 4
        last = len(kernels) - 1
        self.convs = nn.ModuleList(
            conv(size, inputs if i == 0 else inner, outputs if i == last else inner) for i, size in enumerate(kernels)
        )
        self.skip = conv(1, inputs, outputs) if inputs != outputs else nn.Identity()
        self.gain = gain

    def forward(self, x):
        y = x
        for layer in self.convs:
            y = layer(F.relu(y))
        return self.skip(x) + self.gain * y


class Coder(nn.Module):
    def __init__(self, config, inputs, first, widths, outputs, kernels, input_size, resize):
        super().__init__()
        gain = 1 / (config["groups"] * config["blocks"]) ** 2
        self.input = conv(input_size, inputs, first)
        groups, channels = [], first
        for width in widths:
            group = nn.ModuleList()
            for _ in range(config["blocks"]):
                group.append(Block(channels, width, kernels, gain))
                channels = width
            groups.append(group)
        self.groups = nn.ModuleList(groups)
        self.output = conv(1, channels, outputs)
        self.resize = resize

    def forward(self, x):
        x = self.input(x)
        for i, group in enumerate(self.groups):
            for block in group:
                x = block(x)
            if i < len(self.groups) - 1:
                x = self.resize(x)
        return self.output(F.relu(x))


class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        widths = [config["width"] * 2**i for i in range(config["groups"])]
        vocab = config["vocab"]
        self.encoder = Coder(config, 3, widths[0], widths, vocab, (3, 3, 3, 1), 7, nn.MaxPool2d(2))
        self.decoder = Coder(
            config, vocab, config["first"], widths[::-1], 6, (1, 3, 3, 3), 1, nn.Upsample(scale_factor=2, mode="nearest")
        )

    def inputs(self, batch):
        return {name: value.permute(0, 3, 1, 2).contiguous() for name, value in batch.items()}

    def forward(self, image, gumbel):
        x = 0.8 * image + 0.1
        logits = self.encoder(x)
        codes = F.softmax((logits + gumbel) / self.config["temperature"], dim=1)
        mean, log_width = self.decoder(codes).chunk(2, dim=1)
        distance = (torch.logit(x) - mean).abs()
        surprise = distance * torch.exp(-log_width) + log_width + torch.log(2 * x * (1 - x))
        log_probs = F.log_softmax(logits, dim=1)
        places = logits.shape[2] * logits.shape[3]
        kl = (log_probs.exp() * log_probs).sum(dim=(1, 2, 3)) + places * math.log(logits.shape[1])
        bound = surprise.sum(dim=(1, 2, 3)) + self.config["kl"] * kl
        return bound.mean() / (3 * self.config["size"] ** 2)
