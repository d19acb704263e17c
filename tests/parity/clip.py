"""CLIP of transformers and of open_clip at small configs: both image towers, batch norm that trains and that infers, the loss."""

import open_clip
import torch
import transformers
from open_clip.loss import ClipLoss
from open_clip.model import CLIP

from fixture import randomise, write


def texts(config, batch):
    """Random tokens, each text ended by the largest of the vocabulary and padded with zeros."""
    vocab, context = config["text"]["vocab"], config["text"]["context"]
    tokens = torch.randint(0, vocab - 1, (batch, context))
    for i in range(batch):
        end = context - 1 - (2 * i) % context
        tokens[i, end] = vocab - 1
        tokens[i, end + 1 :] = 0
    return tokens


def images(config, batch):
    size = config["image"]["size"]
    return torch.randn(batch, size, size, 3)


def hugging_face(name, config, batch):
    vision, text = config["image"], config["text"]
    activation = {"quick-gelu": "quick_gelu", "gelu": "gelu"}
    model = transformers.CLIPModel(
        transformers.CLIPConfig(
            vision_config={
                "image_size": vision["size"],
                "patch_size": vision["patch"],
                "hidden_size": vision["width"],
                "intermediate_size": 4 * vision["width"],
                "num_hidden_layers": vision["layers"],
                "num_attention_heads": vision["heads"],
                "hidden_act": activation[vision.get("activation", "quick-gelu")],
                "attn_implementation": "eager",
            },
            text_config={
                "vocab_size": text["vocab"],
                "max_position_embeddings": text["context"],
                "hidden_size": text["width"],
                "intermediate_size": 4 * text["width"],
                "num_hidden_layers": text["layers"],
                "num_attention_heads": text["heads"],
                "hidden_act": activation[text.get("activation", "quick-gelu")],
                "bos_token_id": text["vocab"] - 2,
                "eos_token_id": text["vocab"] - 1,
                "pad_token_id": 0,
                "attn_implementation": "eager",
            },
            projection_dim=config["joint"],
            attn_implementation="eager",
        )
    ).eval()
    randomise(model)

    def forward(inputs):
        out = model(input_ids=inputs["tokens"], pixel_values=inputs["image"].permute(0, 3, 1, 2))
        return {"images": out.image_embeds, "texts": out.text_embeds, "logits": out.logits_per_image}

    inputs = {"image": images(config, batch).requires_grad_(), "tokens": texts(config, batch)}
    write(name, f"transformers {transformers.__version__} CLIPModel", config, model, inputs, forward)


def open_clip_model(name, config, batch):
    """`norm` of a ResNet: `batch` puts the oracle into training mode, `running` gives it random running statistics."""
    vision, text = config["image"], config["text"]
    resnet = vision["kind"] == "resnet"
    width = vision["width"] * 32 if resnet else vision["width"]
    heads = vision["heads"]
    model = CLIP(
        config["joint"],
        {
            "image_size": vision["size"],
            "width": vision["width"],
            "layers": vision["stages"] if resnet else vision["layers"],
            "head_width": width // heads,
            "patch_size": vision.get("patch"),
        },
        {
            "vocab_size": text["vocab"],
            "context_length": text["context"],
            "width": text["width"],
            "layers": text["layers"],
            "heads": text["heads"],
        },
        quick_gelu=text.get("activation", "quick-gelu") == "quick-gelu",
    )
    randomise(model)
    if resnet and vision.get("norm") == "running":
        for key, buffer in model.named_buffers():
            if key.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer) * 0.2)
            if key.endswith("running_var"):
                buffer.copy_(torch.rand_like(buffer) + 0.5)
    model.train(resnet and vision.get("norm") != "running")

    def forward(inputs):
        image, text, scale = model(inputs["image"].permute(0, 3, 1, 2), inputs["tokens"])
        return {"images": image, "texts": text, "logits": scale * image @ text.T}

    inputs = {"image": images(config, batch), "tokens": texts(config, batch)}
    if not resnet:
        inputs["image"].requires_grad_()
    write(name, f"open_clip {open_clip.__version__} CLIP", config, model, inputs, forward)


def loss(name, batch, joint):
    def unit(x):
        return (x / x.norm(dim=-1, keepdim=True)).requires_grad_()

    inputs = {
        "images": unit(torch.randn(batch, joint)),
        "texts": unit(torch.randn(batch, joint)),
        "logScale": torch.tensor(1.7, requires_grad=True),
    }
    write(
        name,
        f"open_clip {open_clip.__version__} ClipLoss",
        {},
        torch.nn.Module(),
        inputs,
        lambda given: {"loss": ClipLoss()(given["images"], given["texts"], given["logScale"].exp())},
    )


def make():
    text = {"vocab": 11, "context": 7, "width": 8, "layers": 2, "heads": 2}
    small = {"vocab": 9, "context": 4, "width": 6, "layers": 1, "heads": 1}
    vit = {"kind": "vit", "size": 8, "patch": 4, "width": 12, "layers": 2, "heads": 3}
    odd = {"kind": "vit", "size": 6, "patch": 2, "width": 5, "layers": 3, "heads": 1}
    resnet = {"kind": "resnet", "width": 2, "stages": [1, 1, 1, 1], "heads": 2}
    torch.manual_seed(5)
    hugging_face("clip-transformers", {"joint": 10, "image": vit, "text": text}, 3)
    hugging_face(
        "clip-transformers-gelu",
        {"joint": 3, "image": {**odd, "activation": "gelu"}, "text": {**small, "activation": "gelu"}},
        1,
    )
    open_clip_model("clip-open-clip", {"joint": 7, "image": odd, "text": {**text, "heads": 1, "layers": 3}}, 2)
    open_clip_model(
        "clip-open-clip-gelu",
        {"joint": 6, "image": {**vit, "layers": 1, "activation": "gelu"}, "text": {**small, "activation": "gelu"}},
        1,
    )
    open_clip_model(
        "clip-resnet-running",
        {"joint": 5, "image": {**resnet, "size": 64, "norm": "running"}, "text": small},
        1,
    )
    # A batch norm over a handful of numbers can magnify rounding a thousandfold. With this batch and seed the oracle's own
    # float32 gradients are within 1e-5 of its float64 ones.
    torch.manual_seed(1)
    open_clip_model("clip-resnet-batch", {"joint": 5, "image": {**resnet, "size": 32}, "text": small}, 6)
    loss("clip-loss", 5, 4)
    loss("clip-loss-one", 1, 3)
