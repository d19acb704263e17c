"""PyTorch as a worker of the benchmark: JSON lines on stdin and stdout. Argument: eager, channels-last, compile or
transformers."""

import json
import os
import sys
import time
import traceback


def serve(hello, handlers):
    # Whatever a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    say(hello())
    for line in sys.stdin:
        request = json.loads(line)
        try:
            say(handlers[request["do"]](request))
        except Exception:
            say({"error": traceback.format_exc()})


class Work:
    """What `prepare` made: a step, and for texts their score."""

    step = None
    score = None


work = Work()


def hello():
    threads = int(os.environ["MILLRACE_BENCH_THREADS"])
    try:
        import safetensors.torch  # noqa: F401
        import torch

        torch.set_num_threads(threads)
        version = f"torch {torch.__version__}"
        if sys.argv[1] == "transformers":
            import transformers

            version = f"transformers {transformers.__version__}, {version}"
        return {"version": version, "threads": threads}
    except ImportError as error:
        return {"missing": str(error)}


def prepare(request):
    from training import training

    if request["kind"] == "sample":
        from sample import sampling

        work.step, work.score = sampling(request)
    else:
        work.step = training(request, how=sys.argv[1])
    return {"compileSeconds": None}


def step(_):
    start = time.perf_counter()
    loss = work.step()
    return {"seconds": time.perf_counter() - start, "loss": loss}


def score(request):
    return {"loss": work.score(request["text"], request["promptLength"])}


if __name__ == "__main__":
    serve(hello, {"prepare": prepare, "step": step, "score": score})
