"""The weights of one network in the other's names and layouts.

A module has the same place in both trees, in snake_case here and in camelCase there. Of each kind of module this table
says how its parameters are called there, and how their axes are moved: products are [in, out] there and [out, in] here,
kernels y x in out there and out in y x here.
"""

import re

import torch
from torch import nn


def same(x):
    return x


def transposed(x):
    return x.T


def channels_first(x):
    return x.permute(3, 2, 0, 1)


NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d)
TABLE = [
    (nn.Linear, {"weight": ("weight", transposed), "bias": ("bias", same)}),
    (nn.Conv2d, {"weight": ("weight", channels_first), "bias": ("bias", same)}),
    (NORMS, {"weight": ("gain", same), "bias": ("bias", same)}),
    (nn.Embedding, {"weight": ("", same)}),
]


def entry(module, name):
    for kinds, names in TABLE:
        if isinstance(module, kinds):
            return names[name]
    return name, same


def camel(path):
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), path)


@torch.no_grad()
def load_weights(network, weights):
    """Fills every parameter. A weight that is not used, and a parameter without one, is an error."""
    unused = set(weights)
    for path, module in network.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            leaf, move = entry(module, name)
            full = camel(".".join(part for part in (path, leaf) if part))
            value = move(weights[full])
            if value.shape != parameter.shape:
                raise ValueError(f"{full} is {tuple(value.shape)} there and {tuple(parameter.shape)} here")
            # copy_ moves the axes in memory too, and keeps the parameter's own layout.
            parameter.copy_(value)
            unused.discard(full)
    if unused:
        raise ValueError(f"not used: {', '.join(sorted(unused))}")
