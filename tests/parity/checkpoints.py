"""Checkpoints between Millrace and transformers, both ways, at small random configs.

Writes tests/fixtures/checkpoints/transformers-<model>/, a folder that transformers saved, with its logits; the tests load it.
Loads tests/fixtures/checkpoints/millrace-<model>/, a folder that the tests exported, compares the logits and the tokens that
stand beside it, and keeps what it found with the folder's digests in record.json. The tests ask that an export has the
digests which were found good.
"""

import hashlib
import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

from fixture import randomise

FOLDER = Path(__file__).parent.parent / "fixtures" / "checkpoints"


def gpt2():
    torch.manual_seed(3)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=31, n_positions=8, n_embd=12, n_layer=2, n_head=2, bos_token_id=30, eos_token_id=30
        )
    ).eval()
    randomise(model)
    tokens = torch.randint(0, 31, (2, 8))
    return model, {"tokens": tokens}, {"logits": model(tokens).logits}


def clip(config):
    torch.manual_seed(11)
    model = transformers.CLIPModel(transformers.CLIPConfig(**config)).eval()
    randomise(model)
    text, size = model.config.text_config, model.config.vision_config.image_size
    image = torch.randn(2, size, size, 3)
    tokens = torch.randint(0, text.vocab_size - 1, (3, text.max_position_embeddings))
    for row, end in zip(tokens, (text.max_position_embeddings - 1, 2, 0)):
        row[end:] = text.vocab_size - 1  # As transformers pads: the first of them counts.
    return model, {"image": image, "tokens": tokens}, clip_forward(model, {"image": image, "tokens": tokens})


def clip_forward(model, inputs):
    out = model(input_ids=inputs["tokens"], pixel_values=inputs["image"].permute(0, 3, 1, 2))
    return {"images": out.image_embeds, "texts": out.text_embeds, "logits": out.logits_per_image}


def tower(width, layers, heads, **more):
    return {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers, "num_attention_heads": heads, **more}


CLIPS = {
    "clip": {
        "projection_dim": 6,
        "vision_config": tower(12, 2, 3, image_size=8, patch_size=4),
        "text_config": tower(8, 2, 2, vocab_size=19, max_position_embeddings=7, bos_token_id=17, eos_token_id=18),
    },
    # As OpenAI's own configs have it, the end of text is 2.
    "clip-gelu": {
        "projection_dim": 3,
        "vision_config": tower(5, 1, 1, image_size=6, patch_size=2, hidden_act="gelu"),
        "text_config": tower(6, 1, 1, vocab_size=9, max_position_embeddings=4, hidden_act="gelu", bos_token_id=0, eos_token_id=2),
    },
}


def write(name, make):
    model, inputs, outputs = make()
    folder = FOLDER / f"transformers-{name}"
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    tensors = {f"in/{key}": value.to(torch.int32) if value.dtype == torch.int64 else value for key, value in inputs.items()}
    tensors |= {f"out/{key}": value.detach() for key, value in outputs.items()}
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "expected.safetensors")
    print(folder.name, sorted(path.name for path in folder.iterdir()))


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name not in ("expected.safetensors", "texts.json")
    }


def check_tokens(folder):
    if not (folder / "tokenizer.json").exists():
        return None
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    texts = json.loads((folder / "texts.json").read_text())
    wrong = [text for text, ids, *_ in texts if tokenizer.encode(text, add_special_tokens=False) != ids]
    assert wrong == [], wrong
    # A third item is what the tokens decode to, where that is not the text.
    wrong = [text for text, ids, *decoded in texts if tokenizer.decode(ids) != (decoded or [text])[0]]
    assert wrong == [], wrong
    return len(texts)


def load_clip(folder):
    """The model, after its processor was seen to give the pixels and, between start and end, the tokens of the folder."""
    processor = transformers.CLIPProcessor.from_pretrained(folder)
    expected = load_file(folder / "expected.safetensors")
    pixels = [image.to(torch.uint8).numpy() for image in expected["in/pixels"]]
    found = processor.image_processor(pixels, return_tensors="pt", input_data_format="channels_last")["pixel_values"]
    assert (found.permute(0, 2, 3, 1) - expected["in/image"]).abs().max() < 1e-5
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    vocabulary = model.config.text_config.vocab_size
    for text, ids, *_ in json.loads((folder / "texts.json").read_text()):
        tokens = processor.tokenizer(text)["input_ids"]
        assert tokens == [vocabulary - 2, *ids, vocabulary - 1], (text, tokens, ids)
    return model


def check(name, load, forward):
    folder = FOLDER / f"millrace-{name}"
    expected = load_file(folder / "expected.safetensors")
    model = load(folder)
    inputs = {key[3:]: value.long() if value.dtype == torch.int32 else value for key, value in expected.items() if key.startswith("in/")}
    with torch.no_grad():
        outputs = forward(model, inputs)
    difference = max(
        ((outputs[key[4:]] - value).abs().max() / value.abs().max()).item()
        for key, value in expected.items()
        if key.startswith("out/")
    )
    assert difference < 1e-5, difference
    found = {
        "oracle": f"transformers {transformers.__version__} {type(model).__name__}",
        "largest difference": f"{difference:.1e}",
        "digests": digests(folder),
    }
    texts = check_tokens(folder)
    return found if texts is None else found | {"texts with the same tokens": texts}


def make():
    write("gpt2", gpt2)
    for name, config in CLIPS.items():
        write(name, lambda config=config: clip(config))
    record = {
        "gpt2": check(
            "gpt2",
            lambda folder: transformers.GPT2LMHeadModel.from_pretrained(folder).eval(),
            lambda model, inputs: {"logits": model(inputs["tokens"]).logits},
        ),
        "clip": check("clip", load_clip, clip_forward),
    }
    (FOLDER / "record.json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record, indent=2))
