"""Makes every parity fixture again, or those named:

    pip install -r tests/parity/requirements.txt
    python tests/parity/make.py [gpt2 ...]
"""

import importlib
import sys

MODELS = [
    "gpt2",
    "reward",
    "clip",
    "clip_tokenizer",
    "dvae",
    "sparse",
    "diffusion",
    "prior",
    "autoregressive_prior",
    "unet",
    "decoder",
    "glide",
    "checkpoints",
]

for name in sys.argv[1:] or MODELS:
    importlib.import_module(name).make()
