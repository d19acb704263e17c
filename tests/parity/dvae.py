"""
The dVAE of OpenAI's package at small configs: its encoder, its decoder, and the whole bound with PyTorch's own
Gumbel-softmax, Laplace distribution and KL. The package refuses fewer than 64 channels and 512 codes; nothing else in it
depends on that, so its checks are off here.
"""

from importlib.metadata import version
from unittest import mock

import attr
import torch
import torch.nn.functional as F
from dall_e import Decoder, Encoder, map_pixels, unmap_pixels
from torch.distributions import Categorical, Laplace, SigmoidTransform, TransformedDistribution, kl_divergence

from fixture import randomise, write

ORACLE = f"DALL-E {version('DALL-E')} dall_e"


def coders(config):
    sizes = {"n_hid": config["width"], "n_blk_per_group": config["blocks"], "vocab_size": config["vocab"]}
    with attr.validators.disabled():
        encoder = Encoder(input_channels=config["channels"], **sizes)
        decoder = Decoder(n_init=config["first"], output_channels=config["channels"], **sizes)
    for coder in (encoder, decoder):
        randomise(coder, 0.4)
    return encoder, decoder


def first(x):
    """b y x c -> b c y x"""
    return x.permute(0, 3, 1, 2).contiguous()


def last(x):
    return x.permute(0, 2, 3, 1)


def raster(x):
    """b k y x -> b s k"""
    return x.flatten(2).transpose(1, 2)


def grid(x, config):
    """b s k -> b k y x"""
    return x.transpose(1, 2).unflatten(2, (config["rows"], config["columns"])).contiguous()


def stats_of(decoder, z):
    mean, log_width = decoder(z).chunk(2, dim=1)
    return {"mean": last(mean), "logWidth": last(log_width), "image": last(unmap_pixels(torch.sigmoid(mean)))}


class Dvae(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.encoder, self.decoder = coders(config)


def bound(model, inputs, temperature, beta):
    """The negative evidence bound, a mean over the batch and over all numbers of an image."""
    x = map_pixels(first(inputs["image"]))
    logits = model.encoder(x)
    noise = first(inputs["noise"])
    # gumbel_softmax draws -ln of an exponential variable: here it finds the given noise.
    with mock.patch.object(torch.Tensor, "exponential_", lambda empty: empty.copy_(torch.exp(-noise))):
        relaxed = F.gumbel_softmax(logits, tau=temperature, hard=False, dim=1)
    mean, log_width = model.decoder(relaxed).chunk(2, dim=1)
    density = TransformedDistribution(Laplace(mean, log_width.exp()), [SigmoidTransform()])
    reconstruction = -density.log_prob(x)
    uniform = Categorical(logits=torch.zeros(logits.shape[1]))
    kl = kl_divergence(Categorical(logits=raster(logits)), uniform)
    return {
        "relaxed": raster(relaxed),
        "surprise": last(reconstruction),
        "divergence": kl,
        "loss": reconstruction.mean() + beta * kl.sum(1).mean() / x[0].numel(),
        "reconstruction": reconstruction.mean(),
        "kl": kl.sum(1).mean(),
    }


def make():
    oblong = {"vocab": 11, "rows": 1, "columns": 2, "groups": 4, "blocks": 2, "width": 4, "first": 5, "channels": 3}
    single = {"vocab": 6, "rows": 2, "columns": 1, "groups": 4, "blocks": 1, "width": 4, "first": 2, "channels": 1}
    for suffix, config, batch in [("", oblong, 2), ("-one", single, 1)]:
        torch.manual_seed(3)
        encoder, decoder = coders(config)
        places = config["rows"] * config["columns"]
        image = torch.rand(batch, 8 * config["rows"], 8 * config["columns"], config["channels"], requires_grad=True)
        write(
            f"dvae-encoder{suffix}",
            f"{ORACLE}.Encoder",
            config,
            encoder,
            {"image": image},
            lambda inputs: {"logits": raster(encoder(map_pixels(first(inputs["image"]))))},
        )
        relaxed = torch.randn(batch, places, config["vocab"]).softmax(2).requires_grad_()
        write(
            f"dvae-decoder{suffix}",
            f"{ORACLE}.Decoder",
            config,
            decoder,
            {"relaxed": relaxed},
            lambda inputs: stats_of(decoder, grid(inputs["relaxed"], config)),
        )
    torch.manual_seed(4)
    model = Dvae(single)
    noise = -torch.log(-torch.log(torch.rand(3, 2, 1, single["vocab"])))
    temperature, beta = 0.75, 6.6
    write(
        "dvae-bound",
        f"{ORACLE}.Encoder and .Decoder, torch {torch.__version__} gumbel_softmax, TransformedDistribution, kl_divergence",
        {**single, "temperature": temperature, "beta": beta},
        model,
        {"image": torch.rand(3, 16, 8, 1), "noise": noise},
        lambda inputs: bound(model, inputs, temperature, beta),
    )
