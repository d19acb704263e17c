"""Schedulers of diffusers, step by step: every row of a batch at a step of its own."""

import diffusers
import torch

from fixture import write

ROWS, WIDTH = 6, 5


def betas(kind, steps):
    """What the schedulers are given for our schedules; diffusers' linear one does not stretch by itself."""
    if kind == "cosine":
        return {"beta_schedule": "squaredcos_cap_v2"}
    return {"beta_schedule": "linear", "beta_start": 0.1 / steps, "beta_end": 20 / steps}


NAMES = {"noise": "epsilon", "start": "sample", "velocity": "v_prediction"}
VARIANCES = {"fixed-small": "fixed_small", "fixed-large": "fixed_large", "learned-range": "learned_range"}


def precise(scheduler, steps):
    """The cosine tables in float64. In float32 1 − ᾱ has three digits at the first of a thousand steps."""
    left = (torch.arange(steps + 1, dtype=torch.float64) / steps + 0.008) / 1.008 * (torch.pi / 2)
    scheduler.betas = (1 - left[1:].cos() ** 2 / left[:-1].cos() ** 2).clamp(max=0.999)
    scheduler.alphas = 1 - scheduler.betas
    scheduler.alphas_cumprod = scheduler.alphas.cumprod(0)


def rows(config, count):
    """Inputs: x_t, the network's output, noise that a generator of the row's number draws, and the step of each row."""
    torch.manual_seed(3)
    wide = 2 * WIDTH if config["diffusion"]["variance"] == "learned-range" else WIDTH
    time = torch.linspace(0, count - 1, ROWS).round().to(torch.int64)
    noise = torch.cat([torch.randn(1, WIDTH, generator=torch.Generator().manual_seed(i)) for i in range(ROWS)])
    return {
        "noisy": torch.randn(ROWS, WIDTH).requires_grad_(),
        "output": torch.randn(ROWS, wide).requires_grad_(),
        "noise": noise,
        "time": time,
    }


def record(name, config, scheduler, step, count):
    """step(times, i, inputs) -> the scheduler's result for row i; times are its own, from the least noisy on."""
    times = scheduler.timesteps.flip(0) if scheduler.timesteps[0] > scheduler.timesteps[-1] else scheduler.timesteps
    write(
        name,
        f"diffusers {diffusers.__version__} {type(scheduler).__name__}",
        config,
        torch.nn.Module(),
        rows(config, count),
        lambda inputs: {
            "next": torch.cat([step(times, i, inputs).prev_sample for i in range(ROWS)]),
        },
    )


def ddpm():
    for i, (kind, steps, spacing, parametrisation, variance, clamp) in enumerate(
        [
            ("linear", 60, 60, "noise", "fixed-small", None),
            ("cosine", 40, 20, "start", "fixed-large", 0.8),
            ("cosine", 50, 25, "noise", "learned-range", 1),
            ("linear", 1000, 10, "velocity", "learned-range", None),
        ]
    ):
        scheduler = diffusers.DDPMScheduler(
            num_train_timesteps=steps,
            prediction_type=NAMES[parametrisation],
            variance_type=VARIANCES[variance],
            clip_sample=clamp is not None,
            clip_sample_range=clamp or 1,
            **betas(kind, steps),
        )
        scheduler.set_timesteps(spacing)
        config = {
            "method": "ddpm",
            "diffusion": {
                "schedule": {"kind": kind, "steps": steps},
                "parametrisation": parametrisation,
                "variance": variance,
            },
            "spacing": f"ddim{spacing}",
            "clamp": clamp,
        }
        record(
            f"diffusion-ddpm-{i + 1}",
            config,
            scheduler,
            lambda times, i, inputs: scheduler.step(
                inputs["output"][i : i + 1],
                int(times[inputs["time"][i]]),
                inputs["noisy"][i : i + 1],
                generator=torch.Generator().manual_seed(i),
            ),
            spacing,
        )


def ddim():
    for i, (kind, steps, spacing, parametrisation, eta, clamp) in enumerate(
        [
            ("linear", 60, 60, "noise", 0, None),
            ("cosine", 40, 20, "velocity", 0.5, None),
            ("linear", 1000, 50, "noise", 1, 1),
            ("cosine", 100, 10, "start", 0, 0.5),
        ]
    ):
        scheduler = diffusers.DDIMScheduler(
            num_train_timesteps=steps,
            prediction_type=NAMES[parametrisation],
            clip_sample=clamp is not None,
            clip_sample_range=clamp or 1,
            set_alpha_to_one=True,
            **betas(kind, steps),
        )
        scheduler.set_timesteps(spacing)
        config = {
            "method": "ddim",
            "eta": eta,
            "diffusion": {
                "schedule": {"kind": kind, "steps": steps},
                "parametrisation": parametrisation,
                "variance": "fixed-small",
            },
            "spacing": f"ddim{spacing}",
            "clamp": clamp,
        }
        record(
            f"diffusion-ddim-{i + 1}",
            config,
            scheduler,
            lambda times, i, inputs: scheduler.step(
                inputs["output"][i : i + 1],
                int(times[inputs["time"][i]]),
                inputs["noisy"][i : i + 1],
                eta=eta,
                # ε again from the clamped start, as in guided-diffusion.
                use_clipped_model_output=True,
                variance_noise=inputs["noise"][i : i + 1],
            ),
            spacing,
        )


def inverse():
    for i, (kind, steps, spacing, parametrisation) in enumerate(
        [("linear", 60, 60, "noise"), ("cosine", 40, 20, "velocity")]
    ):
        scheduler = diffusers.DDIMInverseScheduler(
            num_train_timesteps=steps,
            prediction_type=NAMES[parametrisation],
            clip_sample=False,
            **betas(kind, steps),
        )
        scheduler.set_timesteps(spacing)
        config = {
            "method": "inverse",
            "diffusion": {
                "schedule": {"kind": kind, "steps": steps},
                "parametrisation": parametrisation,
                "variance": "fixed-small",
            },
            "spacing": f"ddim{spacing}",
            "clamp": None,
        }
        # It calls a step by the time that it goes to, and has one from the data itself before our first.
        record(
            f"diffusion-inverse-{i + 1}",
            config,
            scheduler,
            lambda times, i, inputs: scheduler.step(
                inputs["output"][i : i + 1],
                int(times[inputs["time"][i] + 1]),
                inputs["noisy"][i : i + 1],
            ),
            spacing - 1,
        )


def unclip():
    for i, (steps, spacing, parametrisation, variance, clamp) in enumerate(
        [(1000, 25, "start", "fixed-small", 10), (1000, 7, "noise", "learned-range", 1)]
    ):
        scheduler = diffusers.UnCLIPScheduler(
            num_train_timesteps=steps,
            prediction_type=NAMES[parametrisation],
            variance_type="fixed_small_log" if variance == "fixed-small" else "learned_range",
            clip_sample=True,
            clip_sample_range=clamp,
        )
        precise(scheduler, steps)
        scheduler.set_timesteps(spacing)
        config = {
            "method": "ddpm",
            "diffusion": {
                "schedule": {"kind": "cosine", "steps": steps},
                "parametrisation": parametrisation,
                "variance": variance,
            },
            "spacing": f"{spacing}",
            "clamp": clamp,
        }

        def step(times, i, inputs):
            at = int(inputs["time"][i])
            return scheduler.step(
                inputs["output"][i : i + 1],
                int(times[at]),
                inputs["noisy"][i : i + 1],
                prev_timestep=int(times[at - 1]) if at > 0 else None,
                generator=torch.Generator().manual_seed(i),
            )

        record(f"diffusion-unclip-{i + 1}", config, scheduler, step, spacing)


def forward():
    for kind, steps in [("linear", 60), ("cosine", 1000)]:
        scheduler = diffusers.DDPMScheduler(num_train_timesteps=steps, **betas(kind, steps))
        torch.manual_seed(4)
        inputs = {
            "data": torch.randn(ROWS, 2, 3, 1).requires_grad_(),
            "noise": torch.randn(ROWS, 2, 3, 1).requires_grad_(),
            "time": torch.linspace(0, steps - 1, ROWS).round().to(torch.int64),
        }
        write(
            f"diffusion-forward-{kind}",
            f"diffusers {diffusers.__version__} DDPMScheduler",
            {"kind": kind, "steps": steps},
            torch.nn.Module(),
            inputs,
            lambda x: {
                "noisy": scheduler.add_noise(x["data"], x["noise"], x["time"]),
                "velocity": scheduler.get_velocity(x["data"], x["noise"], x["time"]),
            },
        )


def make():
    forward()
    ddpm()
    ddim()
    inverse()
    unclip()
