"""tritonclient over HTTP."""

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from claims import claim, main, raises
from tensors import COUNT, EDGES, ONES, TEXTS, assert_same, identity


def connect(server):
    return triton.InferenceServerClient(server.http)


def tensor(name, values, datatype, *, binary=True):
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def sum_inputs(*, binary=True):
    return [
        tensor("INPUT0", COUNT, "INT32", binary=binary),
        tensor("INPUT1", ONES, "INT32", binary=binary),
    ]


def assert_sums(result):
    assert_same(result.as_numpy("OUTPUT0"), COUNT + ONES)
    assert_same(result.as_numpy("OUTPUT1"), COUNT - ONES)


@claim("the server is live and ready, and so is a model and a version of it")
def health(server):
    with connect(server) as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("simple") and client.is_model_ready("simple", "1")
        assert not client.is_model_ready("nobody")


@claim("server metadata, model metadata and model configuration have what the client reads")
def metadata(server):
    with connect(server) as client:
        about = client.get_server_metadata(query_params={"test_1": 1, "test_2": 2})
        assert about["name"] == "triton", about
        assert "statistics" in about["extensions"], about
        model = client.get_model_metadata("simple")
        assert model["name"] == "simple" and model["versions"] == ["1"], model
        assert model["inputs"][0] == {"name": "INPUT0", "datatype": "INT32", "shape": [-1, 16]}, model
        config = client.get_model_config("simple")
        assert config["max_batch_size"] == 8, config
        assert config["input"][0]["data_type"] == "TYPE_INT32", config
        assert config["input"][0]["dims"] == [16], config


@claim("the metadata of an unknown model is refused by name")
def unknown_model(server):
    with connect(server) as client:
        error = raises(
            InferenceServerException,
            lambda: client.get_model_metadata("nobody"),
            says=["Request for unknown model", "nobody"],
        )
        assert error.status() == "404", error.status()


for binary_in in (True, False):
    for binary_out in (True, False):

        @claim(f"sums and differences, binary in {binary_in}, binary out {binary_out}")
        def sums(server, binary_in=binary_in, binary_out=binary_out):
            wanted = [
                triton.InferRequestedOutput("OUTPUT0", binary_data=binary_out),
                triton.InferRequestedOutput("OUTPUT1", binary_data=binary_out),
            ]
            with connect(server) as client:
                inputs = sum_inputs(binary=binary_in)
                result = client.infer("simple", inputs, outputs=wanted, request_id="7")
                assert_sums(result)
                assert result.get_response()["id"] == "7"
                assert result.get_response()["model_version"] == "1"


@claim("outputs are returned in binary where none is requested")
def all_outputs(server):
    with connect(server) as client:
        assert_sums(client.infer("simple", sum_inputs()))


@claim("only the outputs asked for come back")
def one_output(server):
    with connect(server) as client:
        wanted = [triton.InferRequestedOutput("OUTPUT1")]
        result = client.infer("simple", sum_inputs(), outputs=wanted)
        assert_same(result.as_numpy("OUTPUT1"), COUNT - ONES)
        assert result.as_numpy("OUTPUT0") is None


for datatype, values in EDGES.items():

    @claim(f"{datatype} comes back as it went, in binary")
    def edges(server, datatype=datatype, values=values):
        with connect(server) as client:
            result = client.infer(identity(datatype), [tensor("x", values, datatype)])
            assert_same(result.as_numpy("y"), values)


for datatype in ("BOOL", "INT64", "FP32"):

    @claim(f"{datatype} comes back as it went, in JSON")
    def edges_json(server, datatype=datatype):
        wanted = [triton.InferRequestedOutput("y", binary_data=False)]
        given = [tensor("x", EDGES[datatype], datatype, binary=False)]
        with connect(server) as client:
            result = client.infer(identity(datatype), given, outputs=wanted)
            assert_same(result.as_numpy("y"), EDGES[datatype])


@claim("texts come back as they went, in JSON")
def texts_json(server):
    wanted = [triton.InferRequestedOutput("y", binary_data=False)]
    with connect(server) as client:
        given = [tensor("x", TEXTS, "BYTES", binary=False)]
        result = client.infer(identity("BYTES"), given, outputs=wanted)
        assert_same(result.as_numpy("y"), TEXTS)


@claim("NaN and the infinities come back as they went, in JSON")
def not_numbers(server):
    values = np.array([[np.nan, np.inf, -np.inf]], dtype=np.float32)
    wanted = [triton.InferRequestedOutput("y", binary_data=False)]
    with connect(server) as client:
        result = client.infer(
            identity("FP32"), [tensor("x", values, "FP32", binary=False)], outputs=wanted
        )
        np.testing.assert_array_equal(result.as_numpy("y"), values)


@claim("a tensor without elements comes back as it went")
def no_elements(server):
    values = np.zeros((1, 0), dtype=np.float32)
    with connect(server) as client:
        result = client.infer(identity("FP32"), [tensor("x", values, "FP32")])
        assert_same(result.as_numpy("y"), values)


for algorithm in ("gzip", "deflate"):

    @claim(f"{algorithm} is taken and given")
    def compressed(server, algorithm=algorithm):
        with connect(server) as client:
            result = client.infer(
                "simple",
                sum_inputs(),
                request_compression_algorithm=algorithm,
                response_compression_algorithm=algorithm,
            )
            assert_sums(result)


@claim("classification gives the best classes with their labels")
def classification(server):
    scores = np.array([[0.1, 0.7, 0.2]], dtype=np.float32)
    wanted = [triton.InferRequestedOutput("y", class_count=2)]
    with connect(server) as client:
        result = client.infer("classes", [tensor("x", scores, "FP32")], outputs=wanted)
        assert_same(result.as_numpy("y"), np.array([[b"0.700000:1:dog", b"0.200000:2:fish"]], dtype=np.object_))


@claim("requests sent at once are all answered")
def at_once(server):
    with triton.InferenceServerClient(server.http, concurrency=8) as client:
        waiting = [client.async_infer("simple", sum_inputs()) for _ in range(64)]
        for each in waiting:
            assert_sums(each.get_result())


@claim("custom parameters, a priority and a timeout are taken")
def parameters(server):
    with connect(server) as client:
        result = client.infer(
            "simple", sum_inputs(), priority=1, timeout=5_000_000, parameters={"colour": "red", "n": 3}
        )
        assert_sums(result)


@claim("a wrong shape is refused with what was expected and found")
def wrong_shape(server):
    short = np.ones((1, 15), dtype=np.int32)
    with connect(server) as client:
        inputs = [tensor("INPUT0", short, "INT32"), tensor("INPUT1", short, "INT32")]
        raises(
            InferenceServerException,
            lambda: client.infer("simple", inputs),
            says=["unexpected shape for input 'INPUT0' for model 'simple'", "[-1,16]", "[1,15]"],
        )


@claim("a batch over the limit is refused with the limit")
def batch_too_large(server):
    many = np.ones((9, 16), dtype=np.int32)
    with connect(server) as client:
        inputs = [tensor("INPUT0", many, "INT32"), tensor("INPUT1", many, "INT32")]
        raises(
            InferenceServerException,
            lambda: client.infer("simple", inputs),
            says=["inference request batch-size must be <= 8 for 'simple'"],
        )


@claim("a missing input is refused by name")
def missing_input(server):
    with connect(server) as client:
        raises(
            InferenceServerException,
            lambda: client.infer("simple", sum_inputs()[:1]),
            says=["expected 2 inputs but got 1 inputs for model 'simple'", "INPUT1"],
        )


@claim("statistics count what was answered, in numbers")
def statistics(server):
    with connect(server) as client:
        before = client.get_inference_statistics("simple")["model_stats"][0]
        client.infer("simple", sum_inputs())
        after = client.get_inference_statistics("simple", "1")["model_stats"][0]
        assert after["inference_count"] == before["inference_count"] + 1, (before, after)
        stats = after["inference_stats"]
        kinds = ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"]
        for kind in kinds:
            assert isinstance(stats[kind]["count"], int) and isinstance(stats[kind]["ns"], int), stats
        assert any(each["name"] == "simple" for each in client.get_inference_statistics()["model_stats"])


@claim("log settings are read and changed; there is no log file to choose")
def log_settings(server):
    with connect(server) as client:
        was = client.get_log_settings()
        assert client.update_log_settings({"log_info": False})["log_info"] is False
        assert client.update_log_settings({"log_info": was["log_info"]})["log_info"] == was["log_info"]
        raises(
            InferenceServerException,
            lambda: client.update_log_settings({"log_file": "here.log"}),
            says=["log file location can not be updated through network protocol"],
        )


@claim("trace settings are read, and tracing is off")
def trace_settings(server):
    with connect(server) as client:
        assert client.get_trace_settings()["trace_level"] == ["OFF"]
        assert client.get_trace_settings("simple")["trace_level"] == ["OFF"]
        raises(
            InferenceServerException,
            lambda: client.update_trace_settings(settings={"trace_file": "here.json"}),
            says=["trace file location can not be updated through network protocol"],
        )


@claim("shared memory is refused, and none is registered")
def shared_memory(server):
    with connect(server) as client:
        assert client.get_system_shared_memory_status() == []
        assert client.get_cuda_shared_memory_status() == []
        raises(
            InferenceServerException,
            lambda: client.register_system_shared_memory("a", "/test_shm", 64),
            says=["Unable to open shared memory region: '/test_shm'"],
        )


if __name__ == "__main__":
    main()
