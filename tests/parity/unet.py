"""U-Nets of diffusers at small configs: ADM's form, Ho et al.'s form with one head, and upsamplers of small images."""

import diffusers
import torch
import torch.nn.functional as F

from fixture import randomise, write


def unet_of(config):
    """The UNet2DModel of a config of ours."""
    size, multipliers = config["size"], config["multipliers"]
    residual = config.get("resample", "residual") == "residual"
    attends = [size // 2**level in config["attention"] for level in range(len(multipliers))]
    return diffusers.UNet2DModel(
        in_channels=config.get("input", 3),
        out_channels=config.get("output", 3),
        block_out_channels=tuple(m * config["width"] for m in multipliers),
        layers_per_block=config["blocks"],
        down_block_types=tuple("AttnDownBlock2D" if a else "DownBlock2D" for a in attends)
        if not residual
        else tuple("AttnDownBlock2D" if a else "ResnetDownsampleBlock2D" for a in attends),
        up_block_types=tuple("AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attends))
        if not residual
        else tuple("AttnUpBlock2D" if a else "ResnetUpsampleBlock2D" for a in reversed(attends)),
        downsample_type="resnet" if residual else "conv",
        upsample_type="resnet" if residual else "conv",
        attention_head_dim=config["headWidth"],
        norm_num_groups=config.get("groups", 32),
        attn_norm_num_groups=config.get("groups", 32),
        norm_eps=1e-5,
        resnet_time_scale_shift="default" if config.get("modulation") == "add" else "scale_shift",
        add_attention=config.get("middleAttention", True),
    ).eval()


def images(*shape):
    return torch.randn(shape, requires_grad=True)


def first(x):
    """Channels first, as PyTorch has them."""
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


# Non-square images, another number of channels out, several heads.
ADM = {
    "size": 8, "width": 4, "multipliers": [1, 1], "blocks": 1, "attention": [4], "headWidth": 2, "groups": 2, "output": 6,
}  # fmt: skip
# One image, one head at the first size and two at the last, five channels in, none between.
PLAIN = {
    "size": 8, "width": 2, "multipliers": [1, 1, 2], "blocks": 1, "attention": [8, 2], "headWidth": 2, "groups": 1,
    "input": 5, "resample": "convolution", "modulation": "add",
}  # fmt: skip
UPSAMPLER = {
    "size": 8, "width": 2, "multipliers": [1, 2], "blocks": 1, "attention": [], "middleAttention": False,
    "headWidth": 2, "groups": 1, "input": 6, "output": 6,
}  # fmt: skip


def make():
    for name, config, shape in [("unet-adm", ADM, (2, 4, 8, 3)), ("unet-one-head", PLAIN, (1, 8, 4, 5))]:
        torch.manual_seed(1)
        model = unet_of(config)
        randomise(model)
        time = torch.tensor([3, 740])[: shape[0]]
        write(
            name,
            f"diffusers {diffusers.__version__} UNet2DModel",
            config,
            model,
            {"image": images(*shape), "time": time},
            lambda inputs: {"predicted": last(model(first(inputs["image"]), inputs["time"]).sample)},
        )
    for resize, small in [("bilinear", (2, 3, 2, 3)), ("bicubic", (2, 4, 1, 3))]:
        torch.manual_seed(2)
        model = unet_of(UPSAMPLER)
        randomise(model)

        def forward(inputs):
            x, low = first(inputs["image"]), first(inputs["small"])
            large = F.interpolate(low, x.shape[2:], mode=resize, align_corners=False)
            return {"predicted": last(model(torch.cat([x, large], dim=1), inputs["time"]).sample)}

        write(
            f"upsampler-{resize}",
            f"diffusers {diffusers.__version__} UNet2DModel, torch {torch.__version__} interpolate",
            {"unet": UPSAMPLER, "resize": resize},
            model,
            {"image": images(2, 8, 4, 3), "small": images(*small), "time": torch.tensor([0, 999])},
            forward,
        )
