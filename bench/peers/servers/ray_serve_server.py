"""
Ray Serve with raw bytes and, where it is asked for, `serve.batch`:
https://docs.ray.io/en/latest/serve/advanced-guides/dyn-req-batch.html
"""

import signal
import threading

import ray
from ray import serve
from served_model import ServedModel, arguments
from starlette.requests import Request
from starlette.responses import Response

FILE, PORT, FORM, ROWS_MAX, WAIT_S, _ = arguments()


@serve.deployment(
    num_replicas=1, max_ongoing_requests=1000, ray_actor_options={"num_cpus": 1}
)
class Served:
    def __init__(self, file, batched):
        self.model = ServedModel(file)
        self.batched = batched

    @serve.batch(max_batch_size=ROWS_MAX, batch_wait_timeout_s=WAIT_S)
    async def infer_many(self, rows):
        return self.model.run_all(rows)

    async def __call__(self, request: Request):
        row = self.model.row(await request.body())
        answer = await self.infer_many(row) if self.batched else self.model.run(row)
        return Response(answer.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    serve.start(
        http_options={"host": "127.0.0.1", "port": PORT},
        logging_config={"enable_access_log": False, "log_level": "ERROR"},
    )
    serve.run(
        Served.bind(FILE, FORM != "plain"), name="served", route_prefix="/infer"
    )
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    stopped.wait()
    ray.shutdown()
