"""LitServe with raw bytes: https://lightning.ai/docs/litserve/features/batching"""

from typing import Annotated

import litserve
from fastapi import Body, Response
from served_model import ServedModel, arguments

FILE, PORT, FORM, ROWS_MAX, WAIT_S, _ = arguments()
BATCHED = FORM == "batched"


class RawBytes(litserve.LitAPI):
    def setup(self, device):
        self.model = ServedModel(FILE)

    def decode_request(
        self, request: Annotated[bytes, Body(media_type="application/octet-stream")]
    ):
        return self.model.row(request)

    def batch(self, inputs):
        return inputs

    def predict(self, rows):
        return self.model.run_all(rows) if BATCHED else self.model.run(rows)

    def unbatch(self, output):
        return output

    def encode_response(self, output) -> Response:
        return Response(output.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    api = (
        RawBytes(max_batch_size=ROWS_MAX, batch_timeout=WAIT_S)
        if BATCHED
        else RawBytes()
    )
    # ZeroMQ between the processes is what the package advises above a hundred requests a second.
    server = litserve.LitServer(
        api, accelerator="cpu", workers_per_device=1, fast_queue=True
    )
    server.run(
        host="127.0.0.1",
        port=PORT,
        num_api_servers=1,
        log_level="error",
        generate_client_file=False,
        access_log=False,
    )
