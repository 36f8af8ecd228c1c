"""The server as a process: its port, its signals, its token."""

import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from translate.studio.serve import address, bind
from translate.studio.settings import Settings
from translate.utils.errors import OptionError

ROOT = Path(__file__).parents[2]


class Process:
    """tools/studio.py in a process of its own."""

    def __init__(self, place, *words):
        command = [sys.executable, str(ROOT / "tools" / "studio.py"), "--no-browser", "--port", "0", *words]
        self.process = subprocess.Popen(
            command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        line = self.process.stdout.readline()
        self.url = re.search(r"http://\S+", line)[0]

    def get(self, path="", **headers):
        request = urllib.request.Request(self.url.partition("?")[0] + path, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def stop(self, number):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def test_ctrl_c_stops_the_server_with_one_line(tmp_path):
    server = Process(tmp_path, "--device", "cpu")
    assert b"Studio" in server.get() and server.get("healthz") == b'{"status":"ok"}'
    code, out, err = server.stop(signal.SIGINT)
    assert code == 0 and err == "" and out.splitlines()[-1] == "The studio has stopped."


def test_in_the_network_a_token_is_made_and_printed(tmp_path):
    server = Process(tmp_path, "--device", "cpu", "--host", "0.0.0.0")
    token = re.search(r"\?token=(\S{20,})", server.url)[1]
    server.url = re.sub(r"//[^:]+:", "//127.0.0.1:", server.url)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        server.get("api/models")
    assert server.get("api/models", Authorization=f"Bearer {token}") == b'{"models":[]}'
    code, out, err = server.stop(signal.SIGTERM)
    assert code == 0 and err == "" and out.splitlines()[-1] == "The studio has stopped."


def test_a_port_in_use_is_a_line_with_the_way_out():
    line = r"port \d+ is in use, perhaps by another studio; choose another with --port"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OptionError, match=line):
        bind("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(OptionError, match=r"--port 70000 is out of range"):
        bind("127.0.0.1", 70000)
    with pytest.raises(OptionError, match=r"--host no.such.host.invalid: cannot be listened on"):
        bind("no.such.host.invalid", 0)


def test_the_address_that_is_printed():
    assert address(Settings(), 7860) == "http://127.0.0.1:7860/"
    assert address(Settings(host="::1"), 80) == "http://[::1]:80/"
    assert address(Settings(host="0.0.0.0", token="a b"), 80).endswith(":80/?token=a%20b")
