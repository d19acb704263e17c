"""Writes one parity fixture: an oracle's parameters, inputs, outputs and gradients at one small config."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent.parent / "fixtures" / "parity"


def write(name, oracle, config, module, inputs, forward, ignored=()):
    """
    name      of the file
    oracle    the class that the figures are of, with its package and version
    config    of our model, as its schema takes it
    module    its state dict gives the parameters, its parameters the gradients
    inputs    by the names of our ports; floats among them get gradients too when they require them
    forward   inputs -> outputs by the names of our ports
    ignored   names of the state dict that are no parameters

    The gradients are those of the sum of all outputs, each weighed by a random cotangent.
    """
    generator = torch.Generator().manual_seed(7)
    module.zero_grad()
    outputs = forward(inputs)
    cotangents = {key: torch.randn(value.shape, generator=generator) for key, value in outputs.items()}
    sum((outputs[key] * cotangents[key]).sum() for key in outputs).backward()
    tensors = {}
    for key, value in inputs.items():
        tensors[f"in/{key}"] = value.detach()
        if value.grad is not None:
            tensors[f"inGrad/{key}"] = value.grad
    for key, value in outputs.items():
        tensors[f"out/{key}"] = value.detach()
        tensors[f"cotangent/{key}"] = cotangents[key]
    for key, value in module.state_dict().items():
        if key not in ignored and value.dtype == torch.float32:
            tensors[f"param/{key}"] = value
    for key, value in module.named_parameters():
        if key not in ignored and value.grad is not None:
            tensors[f"grad/{key}"] = value.grad
    tensors = {
        key: (value.to(torch.int32) if value.dtype == torch.int64 else value).clone().contiguous()
        for key, value in tensors.items()
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.safetensors"
    save_file(tensors, path, {"oracle": oracle, "config": json.dumps(config)})
    print(f"{path.name}  {path.stat().st_size / 1024:.0f} kB  {oracle}  {json.dumps(config)}")


def randomise(module, scale=0.2):
    """Every parameter random, norms, biases and zero-initialised ones too, so that none of them hides a fault."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn_like(parameter) * scale
            parameter.copy_(1 + noise if name.endswith("weight") and parameter.ndim == 1 else noise)
