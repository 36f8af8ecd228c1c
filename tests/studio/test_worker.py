"""The queue: bounded, limited in time, and not working for clients that have gone."""

import asyncio
import http.client
import threading
import time

import pytest
import torch
import uvicorn
from torch import nn

from tests.studio.studios import photo
from translate.studio.app import create_app
from translate.studio.errors import BusyError, ExpiredError
from translate.studio.serve import Server, bind
from translate.studio.settings import Settings
from translate.studio.worker import Worker


class Client:
    """A request whose client may go."""

    def __init__(self):
        self.gone = asyncio.Event()

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}


class Deep(nn.Module):
    """A network of many slow layers, which counts those that ran."""

    def __init__(self):
        super().__init__()
        self.layers, self.count = nn.Sequential(*(nn.Identity() for _ in range(500))), 0
        for layer in self.layers:
            layer.register_forward_hook(self.wait)

    def wait(self, *_):
        self.count += 1
        time.sleep(0.01)

    def forward(self, x):
        return self.layers(x)


def with_worker(test, threads=1, max_waiting=2, max_seconds=5.0):
    async def run():
        worker = Worker(threads, max_waiting, max_seconds)
        try:
            return await test(worker)
        finally:
            worker.close()

    return asyncio.run(run())


def test_a_computation_that_takes_too_long_stops_at_its_next_layer():
    net = Deep()

    async def test(worker):
        with pytest.raises(ExpiredError, match=r"took more than 0.1 s and was cancelled"):
            await worker.run(Client(), lambda: net(torch.zeros(1)), 0.1)
        assert worker.figures.outcomes == {"expired": 1} and worker.pending == 0
        assert await worker.run(Client(), lambda: 5) == 5  # the thread is free

    with_worker(test)
    assert 0 < net.count < 100


def test_a_client_that_has_gone_is_not_computed_for():
    net, started = Deep(), []

    async def test(worker):
        clients = [Client(), Client()]
        first = asyncio.ensure_future(worker.run(clients[0], lambda: net(torch.zeros(1))))
        second = asyncio.ensure_future(worker.run(clients[1], lambda: started.append(1)))
        await asyncio.sleep(0.1)
        clients[1].gone.set()  # while it waits
        await asyncio.sleep(0)
        clients[0].gone.set()  # while it runs
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert all(isinstance(result, ExpiredError) for result in results)
        assert worker.figures.outcomes == {"gone": 2}

    with_worker(test)
    assert net.count < 100 and not started


def test_the_queue_is_bounded():
    async def test(worker):
        go = threading.Event()
        running = [asyncio.ensure_future(worker.run(Client(), go.wait)) for _ in range(3)]  # one runs, two wait
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError) as refused:
            await worker.run(Client(), lambda: 1)
        assert 1 <= refused.value.seconds <= 60 and worker.waiting == 2
        go.set()
        assert await asyncio.gather(*running) == [True] * 3
        assert await worker.run(Client(), lambda: 1) == 1
        assert worker.figures.outcomes == {"refused": 1, "done": 4}

    with_worker(test)


def test_an_error_of_a_computation_is_raised_and_counted():
    async def test(worker):
        with pytest.raises(ZeroDivisionError):
            await worker.run(Client(), lambda: 1 / 0)
        assert worker.figures.outcomes == {"failed": 1}

    with_worker(test)


def test_closing_cancels_what_runs():
    net = Deep()

    async def test(worker):
        task = asyncio.ensure_future(worker.run(Client(), lambda: net(torch.zeros(1))))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(worker.close)
        with pytest.raises(ExpiredError):
            await task

    start = time.perf_counter()
    with_worker(test)
    assert time.perf_counter() - start < 2 and net.count < 100


def test_a_full_queue_is_answered_with_503_and_when_to_ask_again(studio, tmp_path):
    file = photo(tmp_path / "x.png").read_bytes()
    studio.app.state.studio.worker.max_waiting = 0
    studio.app.state.studio.worker.pending = 5
    answer = studio.post("/api/translate", files={"image": ("x.png", file)}, data={"model": "monet"})
    assert answer.status_code == 503 and 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["error"].startswith("the studio is busy")
    studio.app.state.studio.worker.pending = 0


def test_a_timeout_is_answered_with_504(studio, tmp_path):
    file = photo(tmp_path / "x.png").read_bytes()
    studio.app.state.studio.worker.max_seconds = 1e-6
    answer = studio.post("/api/translate", files={"image": ("x.png", file)}, data={"model": "monet"})
    assert answer.status_code == 504 and "was cancelled" in answer.json()["error"]


def test_metrics_are_prometheus_text(studio, tmp_path):
    file = photo(tmp_path / "x.png").read_bytes()
    studio.post("/api/translate", files={"image": ("x.png", file)}, data={"model": "monet"})
    answer = studio.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'translate_studio_requests_total{outcome="done"} 1' in lines and "translate_studio_pending 0" in lines
    values = [line for line in lines if not line.startswith("#")]
    assert all(len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0 for line in values)


class Served:
    """A studio behind a real socket."""

    def __init__(self, **settings):
        self.app = create_app(Settings(device="cpu", precision="fp32", port=0, **settings))
        self.listener = bind("127.0.0.1", 0)
        self.server = Server(uvicorn.Config(self.app, log_level="warning"))
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve([self.listener])))

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join()
        self.listener.close()


def test_a_browser_that_closes_its_connection_frees_the_device(runs, tmp_path, monkeypatch):
    net, started = Deep(), threading.Event()

    def compute(*_):
        started.set()
        net(torch.zeros(1))

    monkeypatch.setattr("translate.studio.routes.translate.compute", compute)
    content = photo(tmp_path / "x.png").read_bytes()
    body = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x.png"\r\n\r\n' + content
    body += b'\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nmonet\r\n--b--\r\n'
    with Served(roots=(runs,)) as served:
        connection = http.client.HTTPConnection(*served.listener.getsockname(), timeout=30)
        connection.request("POST", "/api/translate", body, {"Content-Type": "multipart/form-data; boundary=b"})
        assert started.wait(30)
        connection.close()
        studio = served.app.state.studio
        deadline = time.monotonic() + 30
        while len(list(studio.uploads.root.iterdir())) > 1 and time.monotonic() < deadline:  # beside its lock
            time.sleep(0.01)
        assert time.monotonic() < deadline
        assert studio.worker.figures.outcomes == {"gone": 1} and net.count < 400
