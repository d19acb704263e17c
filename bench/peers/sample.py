"""Sampling with `transformers.generate`."""

import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel

PLACES = {
    "norm1.gain": "ln_1.weight",
    "norm1.bias": "ln_1.bias",
    "attention.qkv": "attn.c_attn",
    "attention.out": "attn.c_proj",
    "norm2.gain": "ln_2.weight",
    "norm2.bias": "ln_2.bias",
    "mlp.up": "mlp.c_fc",
    "mlp.down": "mlp.c_proj",
}


def foreign(name):
    """The name that transformers has for a parameter. Its products are [in, out] too."""
    whole = {
        "token": "wte.weight",
        "position": "wpe.weight",
        "norm.gain": "ln_f.weight",
        "norm.bias": "ln_f.bias",
    }
    if name in whole:
        return "transformer." + whole[name]
    _, number, rest = name.split(".", 2)
    place = next(place for place in PLACES if rest.startswith(place))
    return f"transformer.h.{number}." + rest.replace(place, PLACES[place], 1)


def sampling(request):
    """A function that generates once, and one that scores texts."""
    torch.manual_seed(0)
    config = request["config"]
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config["vocab"],
            n_positions=config["context"],
            n_embd=config["width"],
            n_layer=config["layers"],
            n_head=config["heads"],
            activation_function="gelu_new",
            bos_token_id=None,
            eos_token_id=None,
        )
    ).eval()
    weights = load_file(os.path.join(request["folder"], "weights.safetensors"))
    missing, unexpected = model.load_state_dict({foreign(name): value for name, value in weights.items()}, strict=False)
    if unexpected or missing not in ([], ["lm_head.weight"]):
        raise ValueError(f"missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    prompts = load_file(os.path.join(request["folder"], "batch.safetensors"))["prompts"].long()
    settings = {
        "do_sample": True,
        "top_k": 0,
        "use_cache": True,
        "max_new_tokens": config["length"],
        "pad_token_id": 0,
        "eos_token_id": None,
    }

    def step():
        with torch.inference_mode():
            text = model.generate(prompts, attention_mask=torch.ones_like(prompts), **settings)
        if text.shape[1] != config["promptLength"] + config["length"]:
            raise ValueError(f"{text.shape[1]} tokens")
        return None

    def score(text, prompt_length):
        text = torch.tensor(text)
        with torch.inference_mode():
            logits = model(text).logits[:, prompt_length - 1 : -1]
        return F.cross_entropy(logits.transpose(1, 2), text[:, prompt_length:]).item()

    return step, score
