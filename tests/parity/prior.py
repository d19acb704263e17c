"""The diffusion prior of diffusers, which Karlo runs on, at small configs: padded captions, one head, one caption."""

import diffusers
import torch
from diffusers import PriorTransformer

from fixture import randomise, write


def make():
    for name, config, batch in [
        ("prior", {"embedding": 6, "text": {"context": 5, "encoded": 6}, "width": 8, "layers": 2, "heads": 2}, 3),
        ("prior-one-head", {"embedding": 5, "text": {"context": 1, "encoded": 5}, "width": 6, "layers": 1, "heads": 1}, 1),
    ]:
        torch.manual_seed(5)
        model = PriorTransformer(
            num_attention_heads=config["heads"],
            attention_head_dim=config["width"] // config["heads"],
            num_layers=config["layers"],
            embedding_dim=config["embedding"],
            num_embeddings=config["text"]["context"],
            additional_embeddings=4,
        ).eval()
        randomise(model)
        context = config["text"]["context"]
        lengths = torch.tensor([context, 2, 1][:batch])
        inputs = {
            "noised": torch.randn(batch, config["embedding"], requires_grad=True),
            "time": torch.randint(0, 1000, (batch,)),
            "textEmbedding": torch.randn(batch, config["embedding"], requires_grad=True),
            "text": torch.randn(batch, context, config["text"]["encoded"], requires_grad=True),
            "mask": (torch.arange(context) < lengths[:, None]).float(),
        }
        write(
            name,
            f"diffusers {diffusers.__version__} PriorTransformer",
            config | {"dropped": "masked"},
            model,
            inputs,
            lambda x: {
                "embedding": model(x["noised"], x["time"], x["textEmbedding"], x["text"], x["mask"].bool()).predicted_image_embedding
            },
            ignored=["clip_mean", "clip_std"],
        )
