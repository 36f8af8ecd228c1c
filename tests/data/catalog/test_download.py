import hashlib
import io
import shutil
import socket
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from translate.data.catalog.download import check_file, download
from translate.data.catalog.unpack import unpack
from translate.utils.errors import UserError

CONTENT = bytes(range(256)) * 4096  # 1 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT at every path; its attributes say how badly."""

    ranges = True
    drops: list[int] = []  # after how many bytes each of the next answers breaks off
    codes: list[int] = []  # what the next answers are instead
    stalls = False
    shift = 0  # how far from the asked place a resumed answer starts
    chunked = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.drops, self.codes = [], []
        self.asked: list[str | None] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/set.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:  # noqa: N802, the base class's name
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.server.stalls:
            self.server.released.wait(5)
            return
        if self.server.codes:
            self.send_error(self.server.codes.pop(0))
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.end_headers()
            return
        self.answer(start)

    def answer(self, start: int) -> None:
        self.send_response(206 if start else 200)
        if start:
            start += self.server.shift
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        if not self.server.chunked:
            self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        stop = start + self.server.drops.pop(0) if self.server.drops else None
        self.wfile.write(CONTENT[start:stop])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def fetch(server: Server, folder: Path, **options: object) -> Path:
    settings = {"size": len(CONTENT), "sha256": DIGEST, "progress": False, "pause": 0.0, **options}
    return download(server.url, folder / "downloads" / "set.zip", **settings)


# --- download


def test_a_file_is_downloaded(server, tmp_path):
    target = fetch(server, tmp_path)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None]
    assert list(target.parent.iterdir()) == [target]  # no .part is left


def test_size_digest_and_length_are_optional(server, tmp_path, capsys):
    server.chunked = True
    assert fetch(server, tmp_path, size=None, sha256=None, progress=True).read_bytes() == CONTENT
    assert capsys.readouterr().out == ""  # the bar belongs to the error stream


def test_a_broken_connection_is_resumed(server, tmp_path):
    server.drops = [300_000, 200_000]
    assert fetch(server, tmp_path, retries=0).read_bytes() == CONTENT  # every try gained something
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_the_next_run_resumes_a_partial_file(server, tmp_path):
    server.drops = [300_000]
    server.codes = []
    part = tmp_path / "downloads" / "set.zip.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT[:777])
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=777-", "bytes=300777-"]


def test_the_download_restarts_if_the_server_ignores_ranges(server, tmp_path):
    server.ranges, server.drops = False, [300_000]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_the_download_fails_after_retries_without_progress(server, tmp_path):
    server.ranges, server.drops = False, [300_000] * 20
    with pytest.raises(UserError, match=r"the connection broke after 300000 of 1048576 bytes\); fetch it by hand"):
        fetch(server, tmp_path, retries=2)
    assert len(server.asked) == 4  # the first try, and three that gained nothing


def test_a_resume_at_the_wrong_offset_is_rejected(server, tmp_path):
    server.drops, server.shift = [300_000], 5
    with pytest.raises(UserError, match="fetch it by hand"):
        server.drops = [300_000] * 9
        fetch(server, tmp_path, retries=1)
    server.drops, server.shift = [], 0
    assert fetch(server, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("known", [True, False])
def test_a_complete_partial_file_needs_no_download(server, tmp_path, known):
    part = tmp_path / "downloads" / "set.zip.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT)
    assert fetch(server, tmp_path, size=len(CONTENT) if known else None).read_bytes() == CONTENT
    assert server.asked == ([] if known else [f"bytes={len(CONTENT)}-"])


def test_an_oversized_partial_file_is_discarded(server, tmp_path):
    part = tmp_path / "downloads" / "set.zip.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT + b"x")
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_a_busy_server_is_retried(server, tmp_path):
    server.codes = [503, 429]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 3


@pytest.mark.parametrize("code", [404, 403, 410])
def test_a_refusal_is_not_retried_and_says_what_to_do(server, tmp_path, code):
    server.codes = [code] * 9
    target = tmp_path / "downloads" / "set.zip"
    with pytest.raises(UserError) as raised:
        fetch(server, tmp_path)
    line = str(raised.value)
    assert f"cannot fetch {server.url} (the server answers {code} " in line
    assert f"fetch it by hand, put it at '{target}' and run again" in line
    assert "\n" not in line
    assert len(server.asked) == 1


def test_a_silent_server_times_out(server, tmp_path):
    server.stalls = True
    with pytest.raises(UserError, match=r"timed out\); fetch it by hand"):
        fetch(server, tmp_path, retries=0, timeout=0.1)


def test_a_refused_connection_says_what_to_fetch_by_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    closed = Server()
    closed.server_close()
    with pytest.raises(UserError, match=r"Connection refused.*; fetch it by hand, put it at '.*/downloads/set.zip'"):
        fetch(closed, tmp_path, retries=1)


def test_a_dns_failure_is_not_retried(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("waited"))
    with pytest.raises(UserError, match=r"set.zip \(Temporary failure in name resolution\); fetch it by hand"):
        download("http://set.invalid/set.zip", tmp_path / "set.zip", progress=False)


def test_a_wrong_digest_removes_the_file(server, tmp_path):
    with pytest.raises(UserError, match="gave the wrong file: .* has sha256 .* instead of 000000000000.*removed"):
        fetch(server, tmp_path, sha256="0" * 64)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_wrong_content_length_is_rejected_before_the_transfer(server, tmp_path):
    with pytest.raises(UserError, match="now has 1048576 bytes instead of 999"):
        fetch(server, tmp_path, size=999)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_wrong_size_is_rejected_after_the_transfer_without_a_content_length(server, tmp_path):
    server.chunked = True
    with pytest.raises(UserError, match="has 1048576 bytes instead of 9999999"):
        fetch(server, tmp_path, size=9_999_999)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_full_disk_is_not_reported_as_a_network_failure(server, tmp_path):
    (tmp_path / "downloads" / "set.zip.part").mkdir(parents=True)  # cannot be written either
    with pytest.raises(OSError):
        fetch(server, tmp_path, size=None)
    assert len(server.asked) == 1


def test_check_file_compares_size_and_digest(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(CONTENT)
    check_file(file)
    check_file(file, size=len(CONTENT), sha256=DIGEST)
    with pytest.raises(UserError, match="bytes instead of 1"):
        check_file(file, size=1)


# --- unpack


def make_tar(path: Path, *entries: tuple[str, bytes] | tarfile.TarInfo, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as pack:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                pack.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                pack.addfile(info, io.BytesIO(entry[1]))
    return path


def make_zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in entries:
            pack.writestr(name, content)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


FILES = (("set/trainA/1.jpg", b"one"), ("set/trainB/2.jpg", b"two"), ("set/set/3.jpg", b"three"))
JUNK = (("set/.DS_Store", b"x"), ("__MACOSX/set/._1.jpg", b"x"))
STRIPPED = {"trainA/1.jpg": b"one", "trainB/2.jpg": b"two", "set/3.jpg": b"three"}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_tar_archives_are_unpacked_without_their_top_folder(tmp_path, mode):
    folder = tarfile.TarInfo("set/empty")
    folder.type = tarfile.DIRTYPE
    unpack(make_tar(tmp_path / "x", folder, *FILES, *JUNK, mode=mode), tmp_path / "out", limit=99, progress=False)
    assert tree(tmp_path / "out") == STRIPPED


def test_zip_archives_are_unpacked_without_their_top_folder(tmp_path):
    unpack(make_zip(tmp_path / "x", ("set/", b""), *FILES, *JUNK), tmp_path / "out", limit=99, progress=False)
    assert tree(tmp_path / "out") == STRIPPED


def test_an_archive_without_a_top_folder_is_unpacked_unchanged(tmp_path):
    flat = make_zip(tmp_path / "x", ("trainA/1.jpg", b"1"), ("trainB/1.jpg", b"2"))
    unpack(flat, tmp_path / "out", limit=99, progress=False)
    assert tree(tmp_path / "out") == {"trainA/1.jpg": b"1", "trainB/1.jpg": b"2"}


def refused(archive: Path, message: str, limit: int = 1000) -> None:
    root = archive.parent
    before = set(root.rglob("*"))
    with pytest.raises(UserError, match=message) as raised:
        unpack(archive, root / "deep" / "out", limit=limit, progress=False)
    assert "\n" not in str(raised.value)
    inside = {root / "deep", root / "deep" / "out", *(root / "deep" / "out").rglob("*")}
    assert set(root.rglob("*")) - inside == before
    assert not any(path.is_symlink() for path in inside)
    shutil.rmtree(root / "deep")


EVIL = [
    "../evil.jpg",
    "set/../../evil.jpg",
    "/tmp/evil-image-translate.jpg",
    "..\\evil.jpg",
    "C:\\evil.jpg",
    ".x/../../e",
]


@pytest.mark.parametrize("name", EVIL)
def test_paths_that_leave_the_target_are_refused(tmp_path, name):
    refused(make_tar(tmp_path / "x.tar.gz", (name, b"evil")), "leaves the target folder")
    refused(make_zip(tmp_path / "x.zip", (name, b"evil")), "leaves the target folder")
    assert not Path("/tmp/evil-image-translate.jpg").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    entry = tarfile.TarInfo("set/out.jpg")
    entry.type, entry.linkname = kind, "/etc/passwd"
    refused(
        make_tar(tmp_path / "x.tar.gz", entry, ("set/out.jpg/y", b"evil")),
        "holds a link or device, 'set/out.jpg'",
    )


def test_links_in_a_zip_are_refused(tmp_path):
    link = zipfile.ZipInfo("set/out.jpg")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    refused(make_zip(tmp_path / "x.zip", (link, b"/etc/passwd")), "holds a link or device")


def test_an_archive_that_unpacks_to_more_than_the_limit_is_refused(tmp_path):
    zeros = ("a.jpg", bytes(1000)), ("b.jpg", bytes(1000))
    refused(make_zip(tmp_path / "x.zip", *zeros), "more than 1999 bytes", limit=1999)
    refused(make_tar(tmp_path / "x.tar.gz", *zeros), "more than 1999 bytes", limit=1999)
    unpack(tmp_path / "x.zip", tmp_path / "fine", limit=2000, progress=False)


def test_a_zip_with_false_sizes_is_refused(tmp_path):
    honest = make_zip(tmp_path / "x.zip", ("a.jpg", bytes(5000)), ("b.jpg", b"b")).read_bytes()
    size = (5000).to_bytes(4, "little")
    assert honest.count(size) == 2  # the local and the central header
    (tmp_path / "x.zip").write_bytes(honest.replace(size, (10).to_bytes(4, "little")))
    refused(tmp_path / "x.zip", "damaged", limit=100)


def test_other_files_and_truncated_archives_are_refused(tmp_path):
    page = tmp_path / "page.zip"
    page.write_text("<html>Please log in</html>")
    refused(page, "page.zip is damaged or no archive")
    noise = [(f"{i}.jpg", hashlib.sha256(bytes([i])).digest() * 8) for i in range(40)]
    for make, name in ((make_tar, "x.tar.gz"), (make_zip, "x.zip")):
        archive = make(tmp_path / name, *noise)
        archive.write_bytes(archive.read_bytes()[:-200])
        refused(archive, f"{name} is damaged", limit=10**6)


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = make_zip(tmp_path / "x.zip", ("a.jpg", b"a"))
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    refused(archive, "encrypted")


def test_a_duplicate_name_is_refused(tmp_path):
    refused(make_tar(tmp_path / "x.tar", ("a.jpg", b"a"), ("a.jpg", b"b"), mode="w"), "damaged")


def test_endless_names_and_too_many_files_are_refused(tmp_path, monkeypatch):
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 2**33  # of a name: tarfile would read it as a whole
    (tmp_path / "x.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + b"\0" * 2048)
    refused(tmp_path / "x.tar", "is damaged or no archive")
    monkeypatch.setattr("translate.data.catalog.unpack._MAX_ENTRIES", 3)
    refused(make_zip(tmp_path / "x.zip", *((f"{i}.jpg", b"") for i in range(4))), "holds more than 3 files")


def test_impossible_file_names_are_reported_in_one_line(tmp_path):
    refused(
        make_tar(tmp_path / "x.tar.gz", ("a" * 300 + "/" + "b" * 99, b"x"), mode="w:gz"), "a file name that is too long"
    )
