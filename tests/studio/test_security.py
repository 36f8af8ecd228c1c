"""Who may talk to a studio."""

import itertools

import pytest

from tests.studio.studios import ORIGIN, client, photo
from translate.studio.security import is_loopback


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},  # DNS rebinding
        {"Host": "localhost.evil.example:7860"},
        {"Host": "192.168.1.5:7860"},
        {"Host": "[::1"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:3000"},  # another program of this machine
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},  # an <img> on another site
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
    ids=str,
)
def test_requests_from_elsewhere_are_refused(studio, tmp_path, headers):
    file = photo(tmp_path / "x.png")
    for answer in (
        studio.get("/api/models", headers=headers),
        studio.post("/api/translate", files={"image": ("x.png", file.read_bytes())}, headers=headers),
    ):
        assert answer.status_code == 403 and list(answer.json()) == ["error"]
    assert "outcome" not in studio.get("/metrics").text.replace("by outcome", "")  # nothing was computed


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": ORIGIN},
        {"Host": "127.0.0.1:7860", "Origin": "http://127.0.0.1:7860"},
        {"Host": "[::1]:7860"},
        {"Host": "localhost:9000"},  # a port that ssh forwards
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
    ],
    ids=str,
)
def test_the_page_and_programs_are_answered(studio, headers):
    assert studio.get("/api/models", headers=headers).status_code == 200


def test_a_link_of_another_site_may_open_the_page_but_no_data(studio):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert studio.get("/", headers=link).status_code == 200
    assert studio.get("/metrics", headers=link).status_code == 403


@pytest.mark.parametrize("path", ["/", "/docs", "/api/models", "/nothing", "/api/nothing", "/openapi.json"])
def test_every_answer_has_the_security_headers_and_none_of_cors(studio, path):
    answer = studio.get(path, headers={"Origin": ORIGIN})
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; img-src 'self' blob: data:;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_preflight_is_no_permission(studio):
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = studio.options("/api/translate", headers=headers)
    assert answer.status_code == 405 and "access-control-allow-origin" not in answer.headers


def test_the_token(runs):
    with client(roots=(runs,), host="0.0.0.0", token="secret word") as studio:
        paths = "/api/models", "/", "/metrics", "/openapi.json", "/?token=wrong", "/api/models?token=secret+word"
        words = "Bearer wrong", "Basic secret word", "Bearer s\u00e9cret"
        wrong = [{}, {"Cookie": "studio_7860=x"}, *({"Authorization": word.encode()} for word in words)]
        for headers, path in itertools.product(wrong, paths):
            answer = studio.get(path, headers=headers, follow_redirects=False)
            assert answer.status_code == 401 and "token" in answer.json()["error"], path
        assert studio.get("/healthz").json() == {"status": "ok"}
        assert studio.get("/api/models", headers={"Authorization": "Bearer secret word"}).status_code == 200

        opened = studio.get("/?token=secret+word", follow_redirects=False)
        assert opened.status_code == 303 and opened.headers["location"] == "/"
        cookie = opened.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "secret" not in cookie
        assert studio.get("/api/models").status_code == 200  # the client keeps the cookie
        assert studio.get("/").status_code == 200


def test_a_token_may_have_any_letters(runs):
    with client(roots=(runs,), host="0.0.0.0", token="gr\u00fc\u00df \u2603") as studio:
        header = {b"Authorization": "Bearer gr\u00fc\u00df \u2603".encode()}
        assert studio.get("/api/models", headers=header).status_code == 200
        assert studio.get("/api/models").status_code == 401
        studio.get("/?token=gr%C3%BC%C3%9F+%E2%98%83")
        foreign = {"Cookie": f"a=[1,2]; {{x}}; studio_7860={studio.cookies['studio_7860']}"}  # of another program
        studio.cookies.clear()
        assert studio.get("/api/models", headers=foreign).status_code == 200


def test_in_the_network_the_studio_answers_by_its_address_and_not_by_a_foreign_name(runs):
    with client(roots=(runs,), host="0.0.0.0", token="t") as studio:
        studio.headers["Authorization"] = "Bearer t"
        for host, status in (("192.168.1.5:7860", 200), ("[fe80::1]:7860", 200), ("evil.example", 403)):
            assert studio.get("/api/models", headers={"Host": host}).status_code == status, host


def test_loopback():
    assert [is_loopback(host) for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.0.1", "example.org", "")] == [False] * 5
