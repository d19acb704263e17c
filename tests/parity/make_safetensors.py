"""Writes tests/fixtures/reference.safetensors with the reference implementation, and checks files that Millrace wrote.

    pip install -r tests/parity/requirements.txt
    python tests/parity/make_safetensors.py                    writes the fixture
    python tests/parity/make_safetensors.py FILE.safetensors   loads a file and prints what it holds
"""

import sys
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

if len(sys.argv) > 1:
    with safe_open(sys.argv[1], framework="np") as file:
        print("metadata", file.metadata())
        for name in sorted(file.keys()):
            tensor = file.get_tensor(name)
            print(name, tensor.dtype, list(tensor.shape), tensor.flatten().tolist()[:8])
    sys.exit(0)

arrays = {
    "decoder.weight": np.arange(-6, 6, dtype=np.float32).reshape(3, 4) / 4,
    "decoder.bias": np.array([np.pi, -0.0, np.inf, 2.0**-149], dtype=np.float32),
    "scale": np.array(0.125, dtype=np.float32),
    "empty": np.zeros((0, 3), dtype=np.float32),
    "tokens": np.array([[0, 1, -1], [50256, 2**31 - 1, -(2**31)]], dtype=np.int32),
    "mask": np.array([True, False, True]),
    "pixels": np.array([0, 127, 255], dtype=np.uint8),
    "half": np.array([1.5, -65504, 2.0**-24, 0.1, np.inf], dtype=np.float16),
    "brain": np.array([[1.0, -2.5], [3.0e38, 0.0]], dtype=ml_dtypes.bfloat16),
}
path = Path(__file__).parent.parent / "fixtures" / "reference.safetensors"
path.write_bytes(save(arrays, {"format": "np", "made by": "make_safetensors.py"}))
print(path)
