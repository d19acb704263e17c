"""Karlo's decoder in diffusers: a U-Net whose attention sees CLIP's text and 4 tokens of an image embedding."""

import diffusers
import torch
from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel

from fixture import randomise, write
from unet import first, images, last


class Decoder(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        unet, image = config["unet"], config["image"]
        attends = [unet["size"] // 2**level in unet["attention"] for level in range(len(unet["multipliers"]))]
        time = 4 * unet["width"]
        self.tokens = image.get("tokens", 4)
        self.decoder = diffusers.UNet2DConditionModel(
            in_channels=3,
            out_channels=6,
            block_out_channels=tuple(m * unet["width"] for m in unet["multipliers"]),
            layers_per_block=unet["blocks"],
            down_block_types=tuple("SimpleCrossAttnDownBlock2D" if a else "ResnetDownsampleBlock2D" for a in attends),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn",
            up_block_types=tuple(
                "SimpleCrossAttnUpBlock2D" if a else "ResnetUpsampleBlock2D" for a in reversed(attends)
            ),
            cross_attention_dim=unet["context"],
            attention_head_dim=unet["headWidth"],
            norm_num_groups=unet["groups"],
            resnet_time_scale_shift="scale_shift",
            class_embed_type="identity",
            norm_eps=1e-5,
        )
        self.text_proj = UnCLIPTextProjModel(
            clip_extra_context_tokens=self.tokens,
            clip_embeddings_dim=image["width"],
            time_embed_dim=time,
            cross_attention_dim=unet["context"],
        )

    def forward(self, image, time, sequence, mask, pooled, embedding, keepEmbedding):
        null = self.text_proj.learned_classifier_free_guidance_embeddings
        context, added = self.text_proj(
            image_embeddings=torch.where(keepEmbedding[:, None] > 0, embedding, null),
            prompt_embeds=pooled,
            text_encoder_hidden_states=sequence,
            do_classifier_free_guidance=False,
        )
        seen = torch.nn.functional.pad(mask, (self.tokens, 0), value=1)
        predicted = self.decoder(
            sample=first(image), timestep=time, encoder_hidden_states=context, class_labels=added, attention_mask=seen
        ).sample
        noise, variance = predicted.chunk(2, dim=1)
        return {"noise": last(noise), "variance": last(variance)}


# Non-square images; an embedding kept and one dropped; captions of different lengths.
SEVERAL = {
    "unet": {
        "size": 8, "width": 2, "multipliers": [1, 2], "blocks": 1, "attention": [4], "headWidth": 2, "groups": 1,
        "context": 6, "output": 6,
    },
    "text": {"kind": "clip"},
    "image": {"width": 5},
}  # fmt: skip
# One image, one head, no other size, one token of context from the embedding.
ONE = {
    "unet": {
        "size": 4, "width": 2, "multipliers": [1], "blocks": 2, "attention": [4], "headWidth": 2, "groups": 1,
        "context": 3, "output": 6,
    },
    "text": {"kind": "clip"},
    "image": {"width": 7, "tokens": 1},
}  # fmt: skip


def make():
    for name, config, shape, mask, keep in [
        ("karlo", SEVERAL, (2, 4, 8, 3), [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], [1, 0]),
        ("karlo-one-head", ONE, (1, 4, 4, 3), [[1, 0]], [1]),
    ]:
        torch.manual_seed(3)
        model = Decoder(config).eval()
        randomise(model)
        batch, width, length = shape[0], config["image"]["width"], len(mask[0])
        write(
            name,
            f"diffusers {diffusers.__version__} UNet2DConditionModel, UnCLIPTextProjModel",
            config,
            model,
            {
                "image": images(*shape),
                "time": torch.tensor([17, 901])[:batch],
                "sequence": images(batch, length, width),
                "mask": torch.tensor(mask, dtype=torch.float32),
                "pooled": images(batch, width),
                "embedding": images(batch, width),
                "keepEmbedding": torch.tensor(keep, dtype=torch.float32),
            },
            lambda inputs: model(**inputs),
        )
