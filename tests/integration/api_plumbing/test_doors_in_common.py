"""What every REST door does: credentials, scopes, bodies, problems, pages."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, InterfaceError, OperationalError
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.test import APIClient

from customers.api import throttling
from customers.api.credentials import KeyCredential, check_store, store_allowed
from customers.api.problems import Problem, problem_of
from customers.api.throttling import TokenBuckets
from customers.models import ApiKey
from tests.integration.customers.factories import key_client, make_customer, make_key, token_client

pytestmark = pytest.mark.django_db


def call(header: str | None, *, path: str = "/v1/me") -> Any:
    return APIClient().get(path, headers={} if header is None else {"Authorization": header})


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Bearer two words",
        "Bearer \xe9\xe8",
        "Bearer " + "x" * 10_000,
        "Basic dXNlcjpwYXNz",
        "Api-Key nothing",
        "Api-Key a.b",
        "Api-Key .",
    ],
)
@pytest.mark.parametrize("path", ["/v1/me", "/v1/customers"])
def test_without_valid_credentials_every_door_is_shut(header: str | None, path: str) -> None:
    answer = call(header, path=path)

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json() == {
        "type": "urn:rayon:problem:invalid_credentials",
        "title": "Unauthorized",
        "status": 401,
        "detail": "",
        "code": "invalid_credentials",
    }


def test_known_callers_at_the_wrong_door_miss_a_scope() -> None:
    answers = [
        token_client(make_customer()).get("/v1/customers"),
        key_client("customers:write").get("/v1/me"),
        key_client("reports:read", "stores:write").get("/v1/customers"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "missing_scope")] * 3


def test_revoked_and_expired_keys_are_no_credentials() -> None:
    revoked, revoked_key = make_key("customers:write")
    ApiKey.objects.filter(pk=revoked.pk).update(revoked=True)
    _, expired_key = make_key("customers:write", expiry_date=timezone.now() - timedelta(seconds=1))

    for key in (revoked_key, expired_key):
        assert call(f"Api-Key {key}", path="/v1/customers").status_code == 401


def test_a_key_limited_to_stores_touches_no_other() -> None:
    limited = KeyCredential(prefix="p", scopes=frozenset(), store_refs=frozenset({"S1"}))
    free = KeyCredential(prefix="p", scopes=frozenset(), store_refs=frozenset())

    assert [store_allowed(limited, "S1"), store_allowed(limited, "S2"), store_allowed(free, "S2")] == [
        True,
        False,
        True,
    ]
    with pytest.raises(Problem) as refused:
        check_store(limited, "S2")
    assert refused.value.body["code"] == "not_found"


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_json"),
        (b'{"birth_year": NaN}', "application/json", 400, "malformed_json"),
        (b'{"name": "\xff"}', "application/json", 400, "malformed_json"),
        (b'{"name": "\\ud800"}', "application/json", 400, "malformed_json"),
        (b'{"name": ' + b"[" * 100_000, "application/json", 400, "malformed_json"),
        (b'{"name": "' + b"x" * (20 * 1024 * 1024) + b'"}', "application/json", 413, "too_large"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"<name/>", "text/xml", 415, "unsupported_media_type"),
    ],
)
def test_a_body_that_is_not_ours_is_refused_as_a_whole(
    raw: bytes, content_type: str, status: int, code: str
) -> None:
    answer = key_client("customers:write").put("/v1/customers/C1", raw, content_type=content_type)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/", "/v1/customers/a/b/c"])
def test_an_unknown_address_is_a_problem_too(path: str) -> None:
    answer = APIClient().get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_wrong_method_and_a_picky_client_are_answered_in_json() -> None:
    office = key_client("customers:write")

    refused = office.post("/v1/customers/C1", {})
    picky = office.get("/v1/customers?format=xml", headers={"Accept": "text/html"})

    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert picky.json() == {"results": [], "next": None, "previous": None}


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=bjox%00", "cursor=", "limit=0", "limit=201", "limit=1e2", "limit=-1"]
)
def test_a_bad_page_is_refused(query: str) -> None:
    answer = key_client("customers:write").get(f"/v1/customers?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


@pytest.mark.parametrize("error", [OperationalError("password=secret"), InterfaceError("closed")])
def test_a_database_that_is_away_is_503_with_a_time_to_retry(error: Exception) -> None:
    problem = problem_of(error)

    assert problem is not None
    assert (problem.status_code, problem.code) == (503, "unavailable")
    assert problem.headers == {"Retry-After": "2"}
    assert "secret" not in str(problem.body)


def test_what_the_database_cannot_store_is_the_callers_error() -> None:
    problem = problem_of(DataError("invalid byte sequence"))

    assert problem is not None
    assert (problem.status_code, problem.code) == (400, "invalid")


def test_an_incident_is_no_problem_of_the_callers() -> None:
    assert problem_of(RuntimeError("secret")) is None


def test_an_incident_is_answered_without_a_word_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    office = key_client("customers:write")
    office.raise_request_exception = False

    def fail(**kwargs: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("customers.queries.list_customers", fail)
    answer = office.get("/v1/customers")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert b"secret" not in answer.content


def test_a_caller_in_a_loop_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    buckets = TokenBuckets(rate=0.1, burst=2)
    monkeypatch.setattr(throttling, "_buckets", lambda: buckets)
    office, other = key_client("customers:write"), key_client("customers:write")

    answers = [office.get("/v1/customers") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "throttled"
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 10
    assert other.get("/v1/customers").status_code == 200


def test_throttled_without_a_time_says_one_second() -> None:
    problem = problem_of(Throttled())

    assert problem is not None
    assert problem.headers == {"Retry-After": "1"}


def test_create_api_key_prints_the_key_alone_on_its_last_line() -> None:
    out = io.StringIO()

    call_command(
        "create_api_key",
        "--name",
        "Till 4",
        "--scope",
        "customers:write",
        "--scope",
        "reports:read",
        "--store",
        "S1",
        stdout=out,
    )

    key = out.getvalue().splitlines()[-1]
    assert call(f"Api-Key {key}", path="/v1/customers").status_code == 200
    made = ApiKey.objects.get()
    assert (made.name, made.scopes, made.store_refs) == (
        "Till 4",
        ["customers:write", "reports:read"],
        ["S1"],
    )
    assert key not in (made.hashed_key, made.id)


@pytest.mark.parametrize(
    "arguments", [["--scope", "everything"], ["--scope", "reports:read", "--store", "a/b"], []]
)
def test_create_api_key_refuses_what_it_does_not_know(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_api_key", "--name", "x", *arguments)
    assert not ApiKey.objects.exists()
