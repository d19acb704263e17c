"""The autoregressive prior, for which there is no public code: the paper's sequence over PyTorch's own transformer layers."""

import torch

from fixture import randomise, write


class Prior(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        d, text = config["width"], config["text"]
        self.context, self.codes = text["context"], config["codes"]
        self.text = torch.nn.Linear(text["encoded"], d)
        self.text_embedding = torch.nn.Linear(config["embedding"], d)
        self.dot = torch.nn.Embedding(config["dotBuckets"], d)
        self.code = torch.nn.Embedding(config["buckets"], d)
        self.position = torch.nn.Parameter(torch.zeros(self.context + 1 + self.codes, d))
        self.layers = torch.nn.ModuleList(
            torch.nn.TransformerEncoderLayer(
                d, config["heads"], 4 * d, dropout=0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(config["layers"])
        )
        self.norm = torch.nn.LayerNorm(d)
        self.out = torch.nn.Linear(d, config["buckets"])

    def forward(self, inputs):
        parts = [
            self.text(inputs["text"]),
            self.text_embedding(inputs["textEmbedding"])[:, None],
            self.dot(inputs["dot"])[:, None],
            self.code(inputs["codes"][:, :-1]),
        ]
        x = torch.cat(parts, 1) + self.position
        length = x.shape[1]
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
        padded = torch.cat([inputs["mask"] < 0.5, torch.zeros(len(x), length - self.context, dtype=torch.bool)], 1)
        mask = hidden | padded[:, None]
        mask = mask & ~torch.eye(length, dtype=torch.bool)
        for layer in self.layers:
            heads = layer.self_attn.num_heads
            x = layer(x, src_mask=mask.repeat_interleave(heads, 0))
        return self.out(self.norm(x[:, self.context + 1 :]))


def make():
    for name, config, batch in [
        (
            "autoregressive-prior",
            {
                "embedding": 6,
                "text": {"context": 4, "encoded": 5},
                "codes": 3,
                "buckets": 7,
                "dotBuckets": 4,
                "width": 8,
                "layers": 2,
                "heads": 2,
            },
            3,
        ),
        (
            "autoregressive-prior-one-head",
            {
                "embedding": 3,
                "text": {"context": 1, "encoded": 3},
                "codes": 2,
                "buckets": 5,
                "dotBuckets": 2,
                "width": 6,
                "layers": 1,
                "heads": 1,
            },
            1,
        ),
    ]:
        torch.manual_seed(13)
        model = Prior(config)
        randomise(model)
        context = config["text"]["context"]
        lengths = torch.tensor([context, 2, 1][:batch])
        inputs = {
            "text": torch.randn(batch, context, config["text"]["encoded"], requires_grad=True),
            "textEmbedding": torch.randn(batch, config["embedding"], requires_grad=True),
            "mask": (torch.arange(context) < lengths[:, None]).float(),
            "dot": torch.randint(0, config["dotBuckets"], (batch,)),
            "codes": torch.randint(0, config["buckets"], (batch, config["codes"])),
        }
        oracle = f"torch {torch.__version__.split('+')[0]} TransformerEncoderLayer"
        write(name, oracle, config | {"dropped": "masked"}, model, inputs, lambda x: {"logits": model(x)})
