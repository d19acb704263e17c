"""Reward and value models: GPT-2 of transformers with a linear head, at the last real token and at every token."""

import torch
import transformers

from fixture import randomise, write

CONFIG = {"vocab": 19, "context": 7, "width": 8, "layers": 2, "heads": 2}
PAD = CONFIG["vocab"] - 1


def config(**more):
    return transformers.GPT2Config(
        vocab_size=CONFIG["vocab"],
        n_positions=CONFIG["context"],
        n_embd=CONFIG["width"],
        n_layer=CONFIG["layers"],
        n_head=CONFIG["heads"],
        resid_pdrop=0,
        embd_pdrop=0,
        attn_pdrop=0,
        bos_token_id=PAD,
        eos_token_id=PAD,
        pad_token_id=PAD,
        attn_implementation="eager",
        **more,
    )


class Value(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = transformers.GPT2Model(config())
        self.score = torch.nn.Linear(CONFIG["width"], 1)

    def forward(self, tokens):
        return self.score(self.transformer(tokens).last_hidden_state)[..., 0]


def make():
    torch.manual_seed(11)
    reward = transformers.GPT2ForSequenceClassification(config(num_labels=1)).eval()
    randomise(reward)
    lengths = torch.tensor([7, 3, 1])
    mask = (torch.arange(7) < lengths[:, None]).float()
    tokens = torch.where(mask.bool(), torch.randint(0, PAD, (3, 7)), PAD)
    write(
        "reward",
        f"transformers {transformers.__version__} GPT2ForSequenceClassification",
        CONFIG,
        reward,
        {"tokens": tokens, "mask": mask},
        lambda inputs: {"reward": reward(inputs["tokens"], attention_mask=inputs["mask"].long()).logits[:, 0]},
    )
    value = Value().eval()
    randomise(value)
    write(
        "value",
        f"transformers {transformers.__version__} GPT2Model and torch.nn.Linear",
        CONFIG,
        value,
        {"tokens": torch.randint(0, PAD, (2, 7))},
        lambda inputs: {"values": value(inputs["tokens"])},
    )
