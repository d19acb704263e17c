"""A training step in PyTorch: forward, backward, clipping, AdamW."""

import importlib
import os

import torch
from safetensors.torch import load_file

from transfer import load_weights


def training(request, how):
    """A function that makes one step and returns its loss. `how`: eager, channels-last or compile."""
    torch.manual_seed(0)
    network = importlib.import_module(request["twin"]).Network(request["config"])
    load_weights(network, load_file(os.path.join(request["folder"], "weights.safetensors")))
    batch = load_file(os.path.join(request["folder"], "batch.safetensors"))
    batch = network.inputs(batch)
    if how == "channels-last":
        # What PyTorch's own guide advises for convolutions on CPUs; its default layout has channels first.
        network = network.to(memory_format=torch.channels_last)
        batch = {name: channels_last(value) for name, value in batch.items()}
    optimizer = adamw(network, request["optimizer"])
    parameters = list(network.parameters())
    clip = request["optimizer"]["clip"]
    network.train()
    loss_of = torch.compile(network) if how == "compile" else network

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(**batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        return loss.item()

    return step


def channels_last(value):
    return value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value


def adamw(network, config):
    """Weights decay; biases, gains and other parameters of fewer than two axes do not."""
    decayed = [p for p in network.parameters() if p.dim() >= 2]
    others = [p for p in network.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": config["weightDecay"]}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(
        groups, lr=config["learningRate"], betas=(config["beta1"], config["beta2"]), eps=config["epsilon"]
    )
