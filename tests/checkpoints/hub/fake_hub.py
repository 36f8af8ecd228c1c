"""A server that plays the part of the Hub that downloads and uploads of a model need, with its failures."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_right"
COMMITS = ["c0ffee" + f"{n:034d}" for n in range(10)]


class Repo:
    """A repository: its files at each commit."""

    def __init__(self, files=None, *, private=False, gated=False):
        self.commits = [dict(files or {})]
        self.private, self.gated = private, gated
        self.messages = ["initial"]

    @property
    def files(self):
        return self.commits[-1]

    def commit_of(self, revision):
        if revision == "main":
            return COMMITS[len(self.commits) - 1]
        return revision if revision in COMMITS[: len(self.commits)] else None


class FakeHub:
    """The state of the server; a test reads `requests` and sets failures.

    Attributes:
        requests: method and path of each request, in order.
        cut_after: the next downloads break after so many bytes, one each.
        damaged: whether downloads have a changed last byte.
        put_status: statuses of the next uploads of large files; 200 afterwards.
        status: of every answer, if not 0.
        read_only: whether the account may write nothing.
    """

    def __init__(self):
        self.repos, self.objects, self.requests = {}, {}, []
        self.cut_after, self.put_status = [], []
        self.damaged, self.read_only, self.status = False, False, 0
        self.bytes_sent = 0

    def received(self, method):
        return [path for one, path in self.requests if one == method]


class Handler(BaseHTTPRequestHandler):
    """Answers requests to the `hub` of its server."""

    protocol_version = "HTTP/1.1"

    @property
    def hub(self):
        return self.server.hub

    def log_message(self, *_):
        pass

    # ---- answers

    def answer(self, status=200, value=None, **headers):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, message):
        self.answer(status, {"error": message}, X_Error_Code=code, X_Error_Message=message)

    @property
    def known(self):
        return self.headers.get("authorization") == f"Bearer {TOKEN}"

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    # ---- downloads

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.hub.requests.append((self.command, self.path))
        if self.hub.status:
            return self.refuse(self.hub.status, "", "no")
        path = self.path.partition("?")[0]
        if path == "/api/whoami-v2":
            who = {"name": "ada", "type": "user", "auth": {"type": "access_token"}}
            return self.answer(value=who) if self.known else self.refuse(401, "", "Invalid username or password.")
        if path.startswith("/api/models/"):
            return self.describe("/".join(path.split("/")[3:5]))
        if path.startswith("/api/"):  # news that the library asks for
            return self.answer(404)
        user, name, _, revision, *rest = path.strip("/").split("/")
        return self.resolve(f"{user}/{name}", revision.replace("%2F", "/"), "/".join(rest))

    def find(self, name):
        """Return a repository that the account may see, or refuse."""
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not self.known):
            return self.refuse(404 if self.known else 401, "RepoNotFound", "Repository not found")
        return repo

    def describe(self, name):
        if repo := self.find(name):
            siblings = [{"rfilename": file} for file in repo.files]
            sha = COMMITS[len(repo.commits) - 1]
            self.answer(value={"id": name, "sha": sha, "private": repo.private, "siblings": siblings, "tags": []})

    def resolve(self, name, revision, file):
        repo = self.find(name)
        if repo is None:
            return None
        commit = repo.commit_of(revision)
        if repo.gated and not self.known:
            return self.refuse(403 if self.headers.get("authorization") else 401, "GatedRepo", "ask for access")
        if commit is None:
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        content = repo.commits[COMMITS.index(commit)].get(file)
        if content is None:
            headers = {"X_Error_Code": "EntryNotFound", "X_Error_Message": "Entry not found"}
            return self.answer(404, {"error": "Entry not found"}, X_Repo_Commit=commit, **headers)
        return self.send_file(content, commit)

    def send_file(self, content, commit):
        size, digest = len(content), hashlib.sha256(content).hexdigest()
        start, end = 0, size - 1
        if span := self.headers.get("Range"):
            low, _, high = span.removeprefix("bytes=").partition("-")
            start, end = int(low), min(int(high or size - 1), size - 1)
        self.send_response(206 if span else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{digest}"')
        self.send_header("X-Linked-Size", str(size))
        self.send_header("X-Linked-ETag", f'"{digest}"')
        self.send_header("Content-Length", str(end + 1 - start))
        if span:
            self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.end_headers()
        if self.command == "HEAD":
            return
        part = content[start : end + 1]
        if self.hub.damaged and end == size - 1:
            part = part[:-1] + bytes([part[-1] ^ 1])
        if self.hub.cut_after and (not span or span.endswith("-")):
            part = part[: self.hub.cut_after.pop(0)]
            self.close_connection = True
        self.hub.bytes_sent += len(part)
        self.wfile.write(part)

    # ---- uploads

    def do_POST(self):
        self.hub.requests.append((self.command, self.path))
        body = self.body()
        if self.hub.status:
            return self.refuse(self.hub.status, "", "no")
        path = self.path.partition("?")[0]
        if path == "/api/validate-yaml":
            bad = "license: nonsense" in json.loads(body)["content"]
            errors = [{"message": '"license" must be one of [apache-2.0, mit]'}] * bad
            return self.answer(400 if bad else 200, {"errors": errors, "warnings": []})
        if self.hub.read_only:
            return self.refuse(403, "", "this token may only read")
        if path == "/api/repos/create":
            values = json.loads(body)
            name = f"{values['organization']}/{values['name']}"
            self.hub.repos[name] = Repo(private=values.get("visibility", values.get("private")) in ("private", True))
            return self.answer(value={"url": f"http://{self.headers['Host']}/{name}", "name": name})
        if path.endswith("/info/lfs/objects/batch"):
            return self.plan_uploads(json.loads(body)["objects"])
        name = "/".join(path.split("/")[3:5])
        if "/preupload/" in path:
            return self.answer(value={"files": [self.mode(name, one) for one in json.loads(body)["files"]]})
        return self.commit(name, [json.loads(line) for line in body.splitlines()])

    def mode(self, name, file):
        large = file["path"].endswith((".safetensors", ".jpg"))
        return {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}

    def plan_uploads(self, objects):
        plans = []
        for each in objects:
            href = f"http://{self.headers['Host']}/lfs/{each['oid']}"
            actions = {} if each["oid"] in self.hub.objects else {"actions": {"upload": {"href": href}}}
            plans.append({**each, **actions})
        self.answer(value={"transfer": "basic", "objects": plans})

    def do_PUT(self):
        self.hub.requests.append((self.command, self.path))
        body, status = self.body(), self.hub.put_status.pop(0) if self.hub.put_status else 200
        if status == 200:
            self.hub.objects[self.path.rpartition("/")[2]] = body
        self.answer(status)

    def commit(self, name, lines):
        repo, files = self.hub.repos[name], dict(self.hub.repos[name].files)
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                repo.messages.append(value["summary"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            else:
                files[value["path"]] = base64.b64decode(value["content"])
        repo.commits.append(files)
        oid = COMMITS[len(repo.commits) - 1]
        url = f"http://{self.headers['Host']}/{name}/commit/{oid}"
        self.answer(value={"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})


@contextmanager
def serve(hub):
    """Serve a fake Hub in a thread; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hub = hub
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
