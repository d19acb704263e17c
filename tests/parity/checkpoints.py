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
    wrong = [text for text, ids in texts if tokenizer.encode(text, add_special_tokens=False) != ids]
    assert wrong == [], wrong
    assert all(tokenizer.decode(ids) == text for text, ids in texts)
    return len(texts)


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
    record = {
        "gpt2": check(
            "gpt2",
            lambda folder: transformers.GPT2LMHeadModel.from_pretrained(folder).eval(),
            lambda model, inputs: {"logits": model(inputs["tokens"]).logits},
        )
    }
    (FOLDER / "record.json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record, indent=2))
