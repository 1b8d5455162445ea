"""Claims about a server, each checked by a real client: one line of JSON for each on standard output."""

import argparse
import asyncio
import inspect
import json
import sys
import traceback

CLAIMS = []


def claim(text):
    """Registers a function whose return, without an exception, makes the claim true."""

    def register(check):
        CLAIMS.append((text, check))
        return check

    return register


def raises(kind, run, *, says):
    """Runs what must fail, and returns the error if its text has all that it should."""
    try:
        run()
    except kind as error:
        return expect_text(error, says)
    raise AssertionError(f"expected {kind.__name__} with {says!r}, found no error")


def expect_text(error, says):
    missing = [part for part in says if part not in str(error)]
    assert not missing, f"expected {missing} in the error, found {str(error)!r}"
    return error


def main():
    """Checks all claims against the server that the command line names. Exits with 1 if one is false."""
    parser = argparse.ArgumentParser()
    # KServe's package reads the command line too, and takes what begins as its own options do.
    parser.add_argument("--rest-address", dest="http", required=True, help="host:port")
    parser.add_argument("--rpc-address", dest="grpc", required=True, help="host:port")
    parser.add_argument("--upload", help="an ONNX model that the server does not have")
    server = parser.parse_args()
    failed = False
    for text, check in CLAIMS:
        why = outcome_of(check, server)
        failed = failed or why is not None
        print(json.dumps({"claim": text, "why": why}), flush=True)
    sys.exit(1 if failed else 0)


def outcome_of(check, server):
    """None where the claim holds, else what went wrong."""
    try:
        if inspect.iscoroutinefunction(check):
            asyncio.run(asyncio.wait_for(check(server), 60))
        else:
            check(server)
    except Exception:  # whatever a client throws is a claim that does not hold
        return traceback.format_exc(limit=-3)
    return None
