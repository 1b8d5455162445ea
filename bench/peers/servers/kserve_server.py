"""KServe's own Python model server: https://kserve.github.io/website/latest/modelserving/v1beta1/custom/custom_model/"""

import logging
import sys

import kserve
from kserve import InferOutput, InferResponse
from served_model import ServedModel, arguments

FILE, PORT, _, _, _, GRPC_PORT = arguments()
# Importing the server has it read the command line.
sys.argv = sys.argv[:1]


class Served(kserve.Model):
    def __init__(self):
        super().__init__("model")
        self.load()

    def load(self):
        self.model = ServedModel(FILE)
        self.ready = True
        return True

    async def predict(self, payload, headers=None, response_headers=None):
        rows = self.model.run(payload.inputs[0].as_numpy())
        output = InferOutput(self.model.output.name, list(rows.shape), "FP32")
        output.set_data_from_numpy(rows, binary_data=True)
        return InferResponse(
            payload.id, self.name, [output], use_binary_outputs=True
        )


if __name__ == "__main__":
    server = kserve.ModelServer(
        http_port=PORT,
        grpc_port=GRPC_PORT,
        workers=1,
        enable_latency_logging=False,
    )
    # Three lines for each request otherwise.
    for name in ("uvicorn.access", "kserve.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)
    server.start([Served()])
