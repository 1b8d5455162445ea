"""A model of Triton's Python backend: https://github.com/triton-inference-server/python_backend"""

import json

import triton_python_backend_utils as triton
from served_model import ServedModel


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.model = ServedModel(config["parameters"]["file"]["string_value"])

    def execute(self, requests):
        rows = [
            triton.get_input_tensor_by_name(each, self.model.input.name).as_numpy()
            for each in requests
        ]
        return [
            triton.InferenceResponse([triton.Tensor(self.model.output.name, answer)])
            for answer in self.model.run_all(rows)
        ]
