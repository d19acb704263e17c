"""A training step in PyTorch: forward, backward, clipping, AdamW."""

import importlib
import os

import torch
from safetensors.torch import load_file

from transfer import load_weights


def training(request, compiled):
    """A function that makes one step and returns its loss."""
    torch.manual_seed(0)
    network = importlib.import_module(request["twin"]).Network(request["config"])
    load_weights(network, load_file(os.path.join(request["folder"], "weights.safetensors")))
    batch = load_file(os.path.join(request["folder"], "batch.safetensors"))
    batch = network.inputs(batch)
    optimizer = adamw(network, request["optimizer"])
    parameters = list(network.parameters())
    clip = request["optimizer"]["clip"]
    network.train()
    loss_of = torch.compile(network) if compiled else network

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(**batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        return loss.item()

    return step


def adamw(network, config):
    """Weights decay; biases, gains and other parameters of fewer than two axes do not."""
    decayed = [p for p in network.parameters() if p.dim() >= 2]
    others = [p for p in network.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": config["weightDecay"]}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(
        groups, lr=config["learningRate"], betas=(config["beta1"], config["beta2"]), eps=config["epsilon"]
    )
