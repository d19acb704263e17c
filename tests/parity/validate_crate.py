"""Checks crates with the tools of others: the profile, the models, the weights and the descriptions of data.

    pip install -r tests/parity/crate_requirements.txt
    python tests/parity/validate_crate.py run.crate.zip ...

Each crate is unpacked with Python's zipfile, then
    roc-validator   Provenance Run Crate 0.5, and all that it extends, at the level REQUIRED
    onnx.checker    every model; ONNX Runtime makes a session of each
    safetensors     every file of weights
    mlcroissant     every croissant.json
    prov            prov.json, and that it is the same when written and read again

RO-Crate's context is fetched from w3id.org, or read from a file: --context context.jsonld
What a crate lacks of RECOMMENDED is what nobody told: an author (`millrace publish --author`) with an affiliation, a publisher, an
agent, addresses of the software, and when a stage that came from the store had run.
Prints a line a check. The code is 1 where one fails.
"""

import argparse
import hashlib
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import onnx
import onnxruntime
import requests
import urllib3
from rocrate_validator import services
from rocrate_validator.models import Severity
from safetensors import safe_open

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Local(requests.adapters.HTTPAdapter):
    """Answers for the network: with the context alone."""

    def __init__(self, context):
        super().__init__()
        self.context = context

    def send(self, request, **_):
        if request.url != CONTEXT:
            raise requests.ConnectionError(f"{request.url}: no network was asked for")
        body = urllib3.HTTPResponse(
            body=io.BytesIO(self.context),
            headers={"Content-Type": "application/ld+json"},
            status=200,
            preload_content=False,
            request_url=request.url,
        )
        return self.build_response(request, body)


def profile_of(folder, severity):
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="provenance-run-crate-0.5",
        requirement_severity=severity,
    )
    result = services.validate(settings)
    return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues(severity)]


def manifest_of(folder):
    for line in (folder / "manifest-sha256.txt").read_text().splitlines():
        digest, path = line.split("  ", 1)
        if hashlib.sha256((folder / path).read_bytes()).hexdigest() != digest:
            yield f"{path}: another digest"


def model_of(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    names = {entry.key for entry in model.metadata_props}
    missing = {"millrace.graph", "millrace.nodes", "millrace.sha256", "millrace.stage"} - names
    assert not missing, f"metadata lacks {missing}"
    onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def weights_of(path):
    with safe_open(path, framework="numpy") as file:
        for name in file.keys():
            file.get_tensor(name)


def croissant_of(path):
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=str(path))
    errors = dataset.metadata.issues.errors
    assert not errors, errors


def provenance_of(path):
    from prov.model import ProvDocument

    document = ProvDocument.deserialize(str(path), format="json")
    assert ProvDocument.deserialize(content=document.serialize(format="json"), format="json") == document
    assert any(document.get_records()), "no records"


def check(crate, arguments):
    failures = 0

    def told(what, problems):
        nonlocal failures
        failures += len(problems)
        print(f"{'FAILED' if problems else 'ok':7} {crate.name}: {what}")
        for problem in problems:
            print(f"        {problem}")

    def each(what, pattern, test):
        paths = sorted(folder.glob(pattern))
        problems = []
        for path in paths:
            try:
                test(path)
            except Exception as error:
                problems.append(f"{path.relative_to(folder)}: {error}")
        told(f"{len(paths)} {what}", problems)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with zipfile.ZipFile(crate) as archive:
            archive.extractall(folder)
        told("the digests of its manifest", list(manifest_of(folder)))
        severity = Severity[arguments.level]
        told(f"Provenance Run Crate, {arguments.level}", profile_of(folder, severity))
        each("models, onnx.checker and a session", "programs/**/*.onnx", model_of)
        each("files of weights, safetensors", "artifacts/**/*.safetensors", weights_of)
        each("descriptions of data, mlcroissant", "data/**/croissant.json", croissant_of)
        each("provenance, prov", "prov.json", provenance_of)
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("crates", nargs="+", type=Path)
    parser.add_argument("--context", type=Path, help="RO-Crate's context as a file, for want of a network")
    parser.add_argument("--level", choices=["REQUIRED", "RECOMMENDED"], default="REQUIRED")
    arguments = parser.parse_args()
    if arguments.context is not None:
        local = Local(arguments.context.read_bytes())
        requests.Session.get_adapter = lambda self, url: local
    failures = sum(check(crate, arguments) for crate in arguments.crates)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
