"""tritonclient: listing, loading and unloading models, over HTTP and over gRPC."""

import json
from pathlib import Path

import tritonclient.grpc as grpc
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

from claims import claim, main, raises


def over_http(server):
    return http.InferenceServerClient(server.http)


def over_grpc(server):
    return grpc.InferenceServerClient(server.grpc)


def index_of(client):
    index = client.get_model_repository_index()
    entries = index if isinstance(index, list) else index.models
    field = (lambda entry, key: entry.get(key, "")) if isinstance(index, list) else getattr
    return {field(each, "name"): field(each, "state") for each in entries}


for wire, connect in {"HTTP": over_http, "gRPC": over_grpc}.items():

    @claim(f"{wire}: an unloaded model is out of service, and back once it is loaded")
    def unload_and_load(server, connect=connect):
        with connect(server) as client:
            assert index_of(client)["spare"] == "READY"
            client.unload_model("spare")
            assert not client.is_model_ready("spare")
            assert index_of(client)["spare"] != "READY"
            client.load_model("spare")
            assert client.is_model_ready("spare")
            assert index_of(client)["spare"] == "READY"

    @claim(f"{wire}: a model that is not there is not loaded, and the answer says why")
    def load_unknown(server, connect=connect):
        with connect(server) as client:
            raises(
                InferenceServerException,
                lambda: client.load_model("nobody"),
                says=["failed to load 'nobody'", "failed to poll from model repository"],
            )

    @claim(f"{wire}: a configuration that comes along is used; its numbers may be texts")
    def override(server, connect=connect):
        with connect(server) as client:
            client.load_model("spare", config=json.dumps({"max_batch_size": "16"}))
            config = client.get_model_config("spare")
            found = config["max_batch_size"] if isinstance(config, dict) else config.config.max_batch_size
            assert found == 16, config
            client.load_model("spare")

    @claim(f"{wire}: a broken configuration is refused, and the model stays")
    def broken_override(server, connect=connect):
        with connect(server) as client:
            raises(
                InferenceServerException,
                lambda: client.load_model("spare", config='{"max_batch_size": '),
                says=["failed to load 'spare'"],
            )
            assert client.is_model_ready("spare")

    @claim(f"{wire}: a model that comes along as a file is served")
    def uploaded(server, connect=connect):
        with connect(server) as client:
            client.load_model(
                "brought",
                config=json.dumps({"backend": "onnxruntime"}),
                files={"file:1/model.onnx": Path(server.upload).read_bytes()},
            )
            assert client.is_model_ready("brought", "1")
            client.unload_model("brought")
            assert not client.is_model_ready("brought")

    @claim(f"{wire}: a file outside the model's folder is refused")
    def traversal(server, connect=connect):
        with connect(server) as client:
            raises(
                InferenceServerException,
                lambda: client.load_model(
                    "brought",
                    config=json.dumps({"backend": "onnxruntime"}),
                    files={"file:../../model.onnx": Path(server.upload).read_bytes()},
                ),
                says=["a path within the model's folder", "file:../../model.onnx"],
            )


if __name__ == "__main__":
    main()
