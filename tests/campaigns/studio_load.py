"""Load a studio: many clients at once, beside translate_folder on the same pictures; and memory over many requests.

    python tests/campaigns/studio_load.py            # 500 requests of 16 clients at 256 px, then 2,000 small ones
    python tests/campaigns/studio_load.py --requests 50 --small 100

The model is tiny and untrained, so that the server counts, not the network. Studio and folder take turns, so that a
disturbance of the machine affects both. Prints measurements as JSON; exits with 1 if a request was lost.
"""

__all__ = ["main"]

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from tests.campaigns.folder_runs import tiny_model
from tests.conftest import picture
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.inference.folder.run import translate_folder
from translate.inference.options import FolderOptions
from translate.inference.translator import Translator

ROOT = Path(__file__).parents[2]
BOUNDARY = "studio-load"
DISTINCT = 50  # pictures; sent again and again
ROUNDS = 5
SIDE_PX, SMALL_SIDE_PX = 256, 64
Answer = tuple[int, float]  # status, and time in s


def main() -> None:
    """Run the campaign and print its measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--small", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tiny_model(place / "runs" / "tiny")
        rounds = [range(k, options.requests, ROUNDS) for k in range(ROUNDS)]
        bodies = [[body_of(place / f"in{k}", i, SIDE_PX) for i in numbers] for k, numbers in enumerate(rounds)]
        small = [body_of(place / "small", i, SMALL_SIDE_PX) for i in range(DISTINCT)]
        translator = Translator.load(place / "runs" / "tiny", "cpu")
        server, port = start(place)
        try:
            send(port, bodies[0][0])  # loads the model
            folder_s, studio_s, answers = 0.0, 0.0, list[Answer]()
            for k, some in enumerate(bodies):
                folder_s += folder_seconds(translator, place, k)
                seconds, found = load(port, some, options.clients)
                studio_s, answers = studio_s + seconds, answers + found
            figures = summary(answers) | {"throughput": round(folder_s / studio_s, 2)}
            figures["resident_mb"] = memory_over(port, small, options.small)
        finally:
            server.terminate()
            server.wait()
    print(json.dumps(figures, indent=2))
    sys.exit(1 if figures["lost"] else 0)


def body_of(folder: Path, i: int, side: int) -> bytes:
    """Write a picture, and return the body of the request that sends it."""
    file = folder / f"{i:04}.png"
    write_picture(file, Picture(picture(i % DISTINCT, side, side)))
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="{file.name}"\r\n\r\n'
    return head.encode() + file.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


def folder_seconds(translator: Translator, place: Path, k: int) -> float:
    """Translate the pictures of round `k` as a folder; return how long that took, s."""
    options = FolderOptions(progress=False)
    return translate_folder(translator, place / f"in{k}", place / f"out{k}", options).seconds


def start(place: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a studio; return it and its port."""
    command = [sys.executable, str(ROOT / "tools" / "studio.py"), "--no-browser", "--port", "0", "--device", "cpu"]
    server = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    found = re.search(r":(\d+)/", server.stdout.readline())
    assert found, "the studio does not start"
    return server, int(found[1])


def load(port: int, bodies: list[bytes], clients: int) -> tuple[float, list[Answer]]:
    """Send all bodies from `clients` threads; return the time of all, s, and the status and time of each."""
    waiting: SimpleQueue[bytes] = SimpleQueue()
    for body in bodies:
        waiting.put(body)
    answers: list[Answer] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        while True:
            try:
                body = waiting.get_nowait()
            except Empty:
                return
            answers.append(exchange(connection, body))

    threads = [threading.Thread(target=work) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, answers


def exchange(connection: http.client.HTTPConnection, body: bytes) -> Answer:
    """Send a body; return the status of the answer, and its time, s."""
    began = time.perf_counter()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    connection.request("POST", "/api/translate", body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, time.perf_counter() - began


def send(port: int, body: bytes) -> None:
    """Send one request on a connection of its own."""
    exchange(http.client.HTTPConnection("127.0.0.1", port, timeout=600), body)


def summary(answers: list[Answer]) -> dict[str, Any]:
    """Return counts and percentiles."""
    times = statistics.quantiles([seconds for _, seconds in answers], n=100)
    lost = sum(status != 200 for status, _ in answers)
    return {
        "requests": len(answers), "lost": lost, "p50_ms": round(1000 * times[49]), "p95_ms": round(1000 * times[94])
    }  # fmt: skip


def memory_over(port: int, bodies: list[bytes], count: int) -> list[float]:
    """Send `count` requests; return the memory of the server, MB, before and after each tenth of them."""
    connection, found = http.client.HTTPConnection("127.0.0.1", port, timeout=600), []
    for i in range(count + 1):
        if i % max(1, count // 10) == 0:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            found.append(round(float(text.split("translate_studio_resident_bytes ")[-1]) / 1e6, 1))
        exchange(connection, bodies[i % len(bodies)])
    return found


if __name__ == "__main__":
    main()
