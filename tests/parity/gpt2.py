"""GPT-2 of transformers at small configs: plain, one head, one layer and one text."""

import torch
import transformers

from fixture import randomise, write


def make():
    for name, config, batch in [
        ("gpt2", {"vocab": 23, "context": 9, "width": 12, "layers": 2, "heads": 3}, 2),
        ("gpt2-one-head", {"vocab": 7, "context": 5, "width": 6, "layers": 3, "heads": 1}, 1),
    ]:
        torch.manual_seed(1)
        model = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                vocab_size=config["vocab"],
                n_positions=config["context"],
                n_embd=config["width"],
                n_layer=config["layers"],
                n_head=config["heads"],
                activation_function="gelu_new",
                resid_pdrop=0,
                embd_pdrop=0,
                attn_pdrop=0,
                attn_implementation="eager",
            )
        ).eval()
        randomise(model)
        tokens = torch.randint(0, config["vocab"], (batch, config["context"]))
        write(
            name,
            f"transformers {transformers.__version__} GPT2LMHeadModel",
            config,
            model,
            {"tokens": tokens},
            lambda inputs: {"logits": model(inputs["tokens"]).logits},
            ignored=["lm_head.weight"],
        )
