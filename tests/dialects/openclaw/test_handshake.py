"""The handshake: who comes in, and every way in which a connection is refused."""

import json
from typing import Any

import pytest

from hubbub.core.values import OPERATOR, Principal
from hubbub.dialects.openclaw.handshake import Accepted, Facts, Rejected, accept, is_local
from tests.dialects.openclaw.clients import (
    NONCE,
    NOW_MS,
    SCOPES,
    TOKEN,
    Frame,
    Key,
    cli_params,
    connect_params,
    request,
)


AGENT_TOKEN = "a" * 64
PRINCIPALS = {TOKEN: OPERATOR, AGENT_TOKEN: Principal(name="alice")}
PAIR = "set gateway.remote.token to match gateway.auth.token"
PASTE = "open a tokenized dashboard URL or paste token in Control UI settings"
SECURE = "control ui requires HTTPS or localhost (secure context)"
FIRST = "invalid handshake: first request must be connect"


def facts(**changes: Any) -> Facts:
    """Give the facts of a local connection."""
    known = {"nonce": NONCE, "is_local": True, "now_ms": NOW_MS, "skew_ms": 600_000}
    return Facts(**{**known, **changes})


def take(text: str, **changes: Any) -> Accepted:
    """Take a first message."""
    return accept(text, facts(**changes), PRINCIPALS.get)


def refused(text: str, **changes: Any) -> Rejected:
    """Take a first message that must be refused."""
    with pytest.raises(Rejected) as caught:
        take(text, **changes)
    return caught.value


def answer_of(rejected: Rejected) -> Frame:
    """Give the error of the refusal's answer."""
    assert rejected.answer is not None
    frame: Frame = json.loads(rejected.answer)
    assert (frame["type"], frame["id"], frame["ok"]) == ("res", "r1", False)
    error: Frame = frame["error"]
    return error


def client(client_id: str, mode: str) -> Frame:
    """Give a ``client``."""
    return {"id": client_id, "version": "dev", "platform": "linux", "mode": mode}


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("hello", 1000, ""),
        ("", 1000, ""),
        ("{", 1000, ""),
        ("[]", 1008, "invalid request frame"),
        ("null", 1008, "invalid request frame"),
        ("7", 1008, "invalid request frame"),
        ('{"type":"event","event":"x"}', 1008, "invalid request frame"),
        ('{"type":"req","method":"connect"}', 1008, "invalid request frame"),
        ('{"type":"req","id":7,"method":"connect"}', 1008, "invalid request frame"),
        ('{"type":"req","id":"","method":"connect"}', 1008, "invalid request frame"),
        ('{"type":"req","id":"1","method":"connect","extra":1}', 1008, "invalid request frame"),
    ],
)
def test_first_message_that_is_no_request(text: str, code: int, reason: str) -> None:
    """What is no JSON is closed plainly, what is no request with 1008; nothing is answered."""
    rejected = refused(text)
    assert (rejected.close_code, rejected.close_reason) == (code, reason)
    assert rejected.answer is None


REFUSALS = {
    "other method": (request("health"), "INVALID_REQUEST", FIRST, 1008),
    "method of the object's prototype": (request("__proto__"), "INVALID_REQUEST", FIRST, 1008),
    "protocol too old": (
        request("connect", connect_params(minProtocol=1, maxProtocol=2)),
        "INVALID_REQUEST",
        "protocol mismatch",
        1002,
    ),
    "protocol too new": (
        request("connect", connect_params(minProtocol=4, maxProtocol=9)),
        "INVALID_REQUEST",
        "protocol mismatch",
        1002,
    ),
    "unknown role": (
        request("connect", connect_params(role="guest")),
        "INVALID_REQUEST",
        "invalid role",
        1008,
    ),
    "neither device nor token": (
        request("connect", connect_params(None)),
        "NOT_PAIRED",
        "device identity required",
        1008,
    ),
    "password without device": (
        request("connect", connect_params(None, auth={"password": TOKEN})),
        "NOT_PAIRED",
        "device identity required",
        1008,
    ),
    "control ui without device": (
        request("connect", connect_params(client=client("clawdbot-control-ui", "webchat"))),
        "INVALID_REQUEST",
        SECURE,
        1008,
    ),
    "renamed control ui without device": (
        request("connect", connect_params(client=client("moltbot-control-ui", "webchat"))),
        "INVALID_REQUEST",
        SECURE,
        1008,
    ),
    "wrong token": (
        request("connect", connect_params("wrong")),
        "INVALID_REQUEST",
        "unauthorized: gateway token mismatch (provide gateway auth token)",
        1008,
    ),
    "wrong token of the command line": (
        request("connect", connect_params("wrong", client=client("cli", "cli"))),
        "INVALID_REQUEST",
        f"unauthorized: gateway token mismatch ({PAIR})",
        1008,
    ),
    "wrong token of a web chat": (
        request("connect", connect_params("wrong", client=client("webchat-ui", "webchat"))),
        "INVALID_REQUEST",
        f"unauthorized: gateway token mismatch ({PASTE})",
        1008,
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_names_its_reason_in_answer_and_close(case: str) -> None:
    """Each refusal is answered with its code and text, and closed with the same text."""
    text, code, message, close_code = REFUSALS[case]
    rejected = refused(text)
    error = answer_of(rejected)
    assert (error["code"], error["message"]) == (code, message)
    assert (rejected.close_code, rejected.close_reason) == (close_code, message)


def test_protocol_mismatch_tells_the_expected_protocol() -> None:
    """The details of a protocol mismatch name the protocol that is spoken here."""
    text = request("connect", connect_params(minProtocol=4, maxProtocol=4))
    assert answer_of(refused(text))["details"] == {"expectedProtocol": 3}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"client": None}, "at /client: must be object"),
        ({"client": {"id": "x"}}, "at /client: must have required property 'version'"),
        ({"minProtocol": 0}, "at /minProtocol: must be >= 1"),
        ({"maxProtocol": "3"}, "at /maxProtocol: must be integer"),
        ({"scopes": "operator.read"}, "at /scopes: must be array"),
        ({"permissions": {"x": 1}}, "at /permissions/x: must be boolean"),
        ({"device": {}}, "at /device: must have required property 'id'"),
    ],
)
def test_wrong_parameters_are_named(changes: Frame, problem: str) -> None:
    """Parameters of the wrong shape are refused with the problem, the close reason cut."""
    rejected = refused(request("connect", connect_params(**changes)))
    message = answer_of(rejected)["message"]
    assert message.startswith("invalid connect params: ")
    assert problem in message
    assert rejected.close_code == 1008
    assert message.startswith(rejected.close_reason)
    assert len(rejected.close_reason.encode()) <= 120


def test_missing_parameters_are_all_named() -> None:
    """A connect without parameters hears of every one that it must have."""
    message = answer_of(refused(request("connect")))["message"]
    assert message == (
        "invalid connect params: must have required property 'minProtocol'; "
        "must have required property 'maxProtocol'; must have required property 'client'"
    )


def test_close_reason_is_cut_between_characters() -> None:
    """A close reason over 120 bytes is cut so that it stays valid UTF-8."""
    scopes = ["ok", *[{"ü" * 40: 1}] * 9]
    rejected = refused(request("connect", connect_params(scopes=scopes)))
    assert 110 < len(rejected.close_reason.encode()) <= 120


def test_operator_without_scopes_may_do_everything() -> None:
    """An operator that asks for no scopes gets the highest."""
    for params in (connect_params(), connect_params(scopes=[])):
        accepted = take(request("connect", params))
        assert accepted.scopes == {"operator.admin"}
        assert accepted.principal is OPERATOR


def test_asked_scopes_are_kept_as_they_are() -> None:
    """Any text is taken as a scope; nothing is added to it."""
    text = request("connect", connect_params(scopes=["operator.read", "of my own"]))
    assert take(text).scopes == {"operator.read", "of my own"}


def test_node_without_scopes_has_none() -> None:
    """A node gets no scope that it did not ask for."""
    assert take(request("connect", connect_params(role="node"))).scopes == frozenset()


def test_agent_gets_no_more_than_its_token_grants() -> None:
    """An agent that asks for everything may read and write, and administers nothing."""
    accepted = take(request("connect", connect_params(AGENT_TOKEN)))
    assert accepted.scopes == {"operator.read", "operator.write"}
    assert accepted.principal.agent == "alice"
    text = request("connect", connect_params(AGENT_TOKEN, scopes=["operator.read"]))
    assert take(text).scopes == {"operator.read"}
    text = request("connect", connect_params(AGENT_TOKEN, scopes=["operator.pairing"]))
    assert take(text).scopes == frozenset()


def test_unknown_connect_parameters_are_passed_over() -> None:
    """Later clients send more than this protocol names; they come in all the same."""
    text = request("connect", connect_params(shoeSize=46, locale="de", userAgent="x"))
    assert take(text).connect.locale == "de"


def test_token_is_taken_as_password() -> None:
    """The operator's token opens the door in either field."""
    params = connect_params(None, auth={"password": TOKEN})
    params["device"] = Key().device(params)
    assert take(request("connect", params)).principal is OPERATOR


@pytest.mark.parametrize(
    ("auth", "kind", "problem"),
    [
        (None, "token", "missing"),
        ({}, "token", "missing"),
        ({"token": ""}, "token", "missing"),
        ({"password": "wrong"}, "password", "mismatch"),
        ({"token": "wrong", "password": "wrong"}, "token", "mismatch"),
    ],
)
@pytest.mark.parametrize(
    ("who", "hints"),
    [
        (client("test", "test"), ("provide gateway auth token", "provide gateway auth password")),
        (client("cli", "cli"), (PAIR, PAIR.replace("token", "password"))),
        (client("moltbot-control-ui", "ui"), (PASTE, "enter the password in Control UI settings")),
    ],
)
def test_device_without_the_right_secret(
    auth: Frame | None, kind: str, problem: str, who: Frame, hints: tuple[str, str]
) -> None:
    """A good device alone opens nothing; the text says what to do in that client."""
    params = connect_params(None, client=who)
    if auth is not None:
        params["auth"] = auth
    params["device"] = Key().device(params)
    message = answer_of(refused(request("connect", params)))["message"]
    hint = hints[kind == "password"]
    assert message == f"unauthorized: gateway {kind} {problem} ({hint})"


def test_command_line_client_as_seen_comes_in() -> None:
    """What the real command-line client sends is accepted, with its three scopes."""
    params = cli_params()
    params["device"] = Key().device(params)
    accepted = take(request("connect", params))
    assert accepted.scopes == set(SCOPES)


def test_control_ui_without_device_comes_in_where_it_is_allowed() -> None:
    """The setting lets a Control UI in with the token alone."""
    text = request("connect", connect_params(client=client("clawdbot-control-ui", "webchat")))
    assert take(text, allow_insecure_control_ui=True).principal is OPERATOR


def test_checks_come_in_the_protocols_order() -> None:
    """Of several faults the first in the protocol's order is told."""
    params = connect_params("wrong", minProtocol=4, maxProtocol=4, role="guest")
    params["device"] = {**Key().device(params), "id": "other", "signedAt": 1}
    told = []
    for repair in ({}, {"minProtocol": 1}, {"role": "operator"}):
        params = {**params, **repair}
        told.append(answer_of(refused(request("connect", params)))["message"])
    assert told == ["protocol mismatch", "invalid role", "device identity mismatch"]


@pytest.mark.parametrize(
    ("remote", "host", "header", "expected"),
    [
        ("127.0.0.1", "127.0.0.1:18789", "", True),
        ("127.0.0.1", "localhost", "", True),
        ("::1", "[::1]:18789", "", True),
        ("127.0.0.1", "example.org", "", False),
        ("10.0.0.7", "127.0.0.1:18789", "", False),
        ("127.0.0.1", "127.0.0.1:18789", "X-Forwarded-For", False),
        ("127.0.0.1", "127.0.0.1:18789", "X-Real-IP", False),
    ],
)
def test_local_client(remote: str, host: str, header: str, expected: bool) -> None:  # noqa: FBT001
    """Local is a loopback peer that asked for a loopback name and came through no proxy."""
    assert is_local(remote, host, {header}.__contains__) is expected
