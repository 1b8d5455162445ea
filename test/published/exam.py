"""Published models under sixteen callers at once: every answer is held against the runtime run alone.

Prints a line per model. Exits with 1 where an answer was wrong or a request refused, with 3 where fewer models than
expected could be asked, else with 0.
"""

import argparse
import asyncio
import collections
import json
import pathlib
import sys
import time
import urllib.request
import zlib

import numpy as np
import tritonclient.grpc as grpc_parts
import tritonclient.grpc.aio as grpc
import tritonclient.http as http_parts
import tritonclient.http.aio as http

from alone import Alone, difference
from catalogue import ALL_MODELS

CALLERS = 16
# Of one caller, over one wire.
REQUESTS_MAX = 12
REQUESTS_MIN = 2
# What the lone runs of one model, half of all work on it, may take; slower models get fewer requests.
LONE_S_MAX = 4
READY_S_MAX = 120
CALL_S_MAX = 60
# JSON is asked for where it is not megabytes of digits.
JSON_ELEMENTS_MAX = 4096
MODELS_MIN = 30

Result = collections.namedtuple("Result", "batch requests runs wrong refused reason")


async def ask(server, alone, seed):
    """Sends the requests of all callers, over one wire and then over the other. Returns what was wrong or refused."""
    first = alone.request(np.random.default_rng(seed), True)
    began = time.monotonic()
    alone.answer(first)
    per_run = time.monotonic() - began
    count = int(min(REQUESTS_MAX, max(REQUESTS_MIN, LONE_S_MAX / (2 * CALLERS * per_run + 1e-9))))
    wrong, refused = [], []
    for wire in (over_http, over_grpc):
        plans = [plan(alone, (seed, caller, wire is over_grpc), count) for caller in range(CALLERS)]
        async with wire(server) as infer:
            callers = [call(infer, alone.model.name, each, wrong, refused) for each in plans]
            await asyncio.gather(*callers)
    return 2 * CALLERS * count, wrong, refused


def plan(alone, seed, count):
    """Inputs of one caller, with the lone answers. Every second request has the usual sizes, so that requests share runs."""
    random = np.random.default_rng(seed)
    requests = [alone.request(random, at % 2 == 0) for at in range(count)]
    return [(inputs, alone.answer(inputs)) for inputs in requests]


async def call(infer, name, requests, wrong, refused):
    for at, (inputs, lone) in enumerate(requests):
        try:
            found = await asyncio.wait_for(infer(name, inputs, lone, at), CALL_S_MAX)
        except Exception as error:  # whatever a client throws is a request that was not answered
            refused.append(f"{type(error).__name__}: {error}")
            continue
        why = difference(lone, found)
        if why is not None:
            wrong.append(f"{[list(each.shape) for each in inputs.values()]}: {why}")


class over_http:
    """The binary extension and JSON in turn."""

    def __init__(self, server):
        self.client = http.InferenceServerClient(server.http, conn_limit=CALLERS, conn_timeout=CALL_S_MAX)

    async def __aenter__(self):
        return self.infer

    async def __aexit__(self, *_):
        await self.client.close()

    async def infer(self, name, inputs, lone, at):
        elements = sum(np.size(each) for each in [*inputs.values(), *lone.values()])
        binary = at % 4 < 2 or elements > JSON_ELEMENTS_MAX or not all_finite(lone)
        given = [input_of(http_parts, *each, binary_data=binary) for each in inputs.items()]
        wanted = [http_parts.InferRequestedOutput(each, binary_data=binary) for each in lone]
        result = await self.client.infer(name, given, outputs=wanted)
        return {each: result.as_numpy(each) for each in lone}


class over_grpc:
    def __init__(self, server):
        self.client = grpc.InferenceServerClient(server.grpc)

    async def __aenter__(self):
        return self.infer

    async def __aexit__(self, *_):
        await self.client.close()

    async def infer(self, name, inputs, lone, at):
        result = await self.client.infer(name, [input_of(grpc_parts, *each) for each in inputs.items()])
        return {each: result.as_numpy(each) for each in lone}


def input_of(parts, name, value, **options):
    tensor = parts.InferInput(name, list(value.shape), http_parts.np_to_triton_dtype(value.dtype))
    tensor.set_data_from_numpy(value, **options)
    return tensor


def all_finite(outputs):
    return all(each.dtype.kind != "f" or np.isfinite(each).all() for each in outputs.values() if hasattr(each, "dtype"))


def get(server, path, body=None):
    request = urllib.request.Request(f"http://{server.http}{path}", data=body)
    with urllib.request.urlopen(request, timeout=CALL_S_MAX) as answer:
        return json.loads(answer.read() or b"{}")


def batch_of(server, name):
    """What the metadata says of sharing runs, once that is known; raises with the reason of a model that is not served."""
    until = time.monotonic() + READY_S_MAX
    while time.monotonic() < until:
        entries = [each for each in get(server, "/v2/repository/index", b"{}") if each["name"] == name]
        state = entries[0] if entries else {"state": "absent", "reason": "not in the repository"}
        if state["state"] == "READY":
            batch = get(server, f"/v2/models/{name}").get("properties", {}).get("batch")
            if batch not in (None, "probing"):
                return batch
        elif state.get("reason") and state["state"] in ("UNAVAILABLE", "absent"):
            raise RuntimeError(state["reason"])
        time.sleep(0.1)
    raise TimeoutError(f"neither ready nor refused within {READY_S_MAX} s")


def runs_of(server, name):
    """How often the gateway has run the model for requests; fewer than the requests where they shared runs."""
    return sum(each["execution_count"] for each in get(server, f"/v2/models/{name}/stats")["model_stats"])


def nothing(reason):
    return Result("", 0, 0, [], [], reason)


async def examine(server, model):
    try:
        batch = batch_of(server, model.name)
    except Exception as error:  # of a model that is not served, the reason is the finding
        return nothing(str(error))
    try:
        alone = Alone(model, pathlib.Path(server.repository, model.name, "1", "model.onnx"))
        before = runs_of(server, model.name)
        requests, wrong, refused = await ask(server, alone, zlib.crc32(model.name.encode()))
    except Exception as error:  # inputs that the runtime alone does not take either, or a gateway that is gone
        return nothing(f"could not be asked: {error}")
    return Result(batch, requests, runs_of(server, model.name) - before, wrong, refused, "")


def line(model, source, result, seconds):
    counts = f"{result.requests:5} requests {result.runs:4} runs {len(result.wrong):3} wrong {len(result.refused):3} refused"
    said = result.reason or f"batch: {result.batch}"
    first = [f"\n    first of {word}: {each[0]}" for word, each in (("wrong", result.wrong), ("refused", result.refused)) if each]
    return f"{model.name:26} {model.kind:5} {source:40} {counts} {seconds:5.1f} s  {said}{''.join(first)}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", required=True, help="host:port")
    parser.add_argument("--grpc", required=True, help="host:port")
    parser.add_argument("--repository", required=True, help="as fetch.py laid it out")
    parser.add_argument("--seconds", type=float, default=600, help="how long to go on; models beyond that are not asked")
    server = parser.parse_args()
    told = json.loads(pathlib.Path(server.repository, "..", "told.json").read_text())
    until = time.monotonic() + server.seconds
    results = []
    for model in (each for each in ALL_MODELS if each.name in told):
        source, why = told[model.name]
        began = time.monotonic()
        if why is None and began > until:
            why = "not reached in time"
        result = nothing(f"not fetched: {why}") if why else asyncio.run(examine(server, model))
        results.append(result)
        print(line(model, source, result, time.monotonic() - began), flush=True)
    sys.exit(verdict(results, min(MODELS_MIN, len(told))))


def verdict(results, asked_min):
    asked = [each for each in results if each.requests > 0]
    wrong, refused = sum(len(each.wrong) for each in asked), sum(len(each.refused) for each in asked)
    joined = sum(each.batch == "probed" for each in asked)
    requests = sum(each.requests for each in asked)
    print(f"{len(asked)} of {len(results)} models answered {requests} requests, {joined} share runs: "
          f"{wrong} wrong, {refused} refused")
    if wrong > 0 or refused > 0:
        return 1
    if len(asked) < asked_min:
        print(f"expected at least {asked_min} models that answer")
        return 3
    return 0


if __name__ == "__main__":
    main()
