"""The complexity service: what comes back for what is sent, and what an item that goes wrong costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import indent
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from codefit.serve.complexity import create_complexity_app
from codefit.serve.complexity_api import MOST_ITEMS
from codefit.serve.complexity_measure import MOST_CHARACTERS, NO_FUNCTION
from codefit.source.metrics.measure import measure
from codefit.source.metrics.rules import RULES
from small_scorers import ByLength

CODE = """\
function sum(rows) {
  let all = 0;
  for (const row of rows) {
    if (row > 0) all += row;
  }
  return all;
}
"""
HANGING = "A<B," * 20_000  # keeps the parser of TypeScript busy for minutes inside of one operation


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_complexity_app(None, processes=1), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def schema(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def asked(client: TestClient, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/complexity", json=fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_file_has_the_figures_of_the_library_and_its_increments(client: TestClient) -> None:
    answer = asked(client, code=CODE, language="javascript", explain=True, id=7)
    assert answer["model"] is None
    (result,) = answer["results"]
    own = measure(CODE, "javascript", explain=True).functions[0]
    (found,) = result["functions"]
    assert (result["id"], result["scored_as"], result["complete"]) == (7, "functions", True)
    assert (found["name"], found["line"], found["end_line"]) == ("sum", 1, 7)
    assert (found["score"], found["label"], found["metrics"]) == (own.score, own.label, own.to_dict())
    assert [(e["line"], e["what"], e["cognitive"], e["nesting"]) for e in found["increments"]] == [
        (each.line, each.what, each.cognitive, each.nesting) for each in own.increments
    ]
    assert [(e["line"], e["cognitive"]) for e in found["increments"]] == [(3, 1), (4, 2)]
    assert "increments" not in asked(client, code=CODE, language="javascript")["results"][0]["functions"][0]


def test_each_item_of_a_batch_costs_itself_alone(client: TestClient) -> None:
    functions = [
        {"code": CODE, "language": "javascript", "id": "good"},
        {"code": CODE, "language": "klingon"},
        {"code": "x" * (MOST_CHARACTERS + 1), "language": "javascript"},
        {"code": " \n", "language": "javascript"},
        {"code": CODE, "language": "typescript", "id": 2},
    ]
    results = asked(client, functions=functions)["results"]
    assert [each["id"] for each in results] == ["good", None, None, None, 2]
    assert [len(each["functions"]) for each in results] == [1, 0, 0, 0, 1]
    assert [each.get("error", "")[:35] for each in results] == [
        "",
        "'klingon' is not a language that is",
        "500,001 characters of code are abov",
        "there is no code; give the text of ",
        "",
    ]


def test_code_without_a_function_is_scored_as_a_whole(client: TestClient) -> None:
    (result,) = asked(client, code="if (a && b) { go() }\n", language="javascript")["results"]
    assert (result["functions"], result["scored_as"], result["note"]) == ([], "module", NO_FUNCTION)
    assert result["module"]["metrics"]["cyclomatic"] == 3


def test_broken_code_gives_what_can_be_read(client: TestClient) -> None:
    code = f"{CODE}\nfunction bad(a {{ if (a) {{ return 1 }}\n"
    (result,) = asked(client, code=code, language="javascript")["results"]
    assert not result["complete"]
    assert result["functions"][0]["complete"]
    (result,) = asked(client, code="if (((", language="javascript")["results"]
    assert not result["module"]["complete"]


def test_an_input_that_hangs_the_parser_ends_its_process_and_nothing_else() -> None:
    with TestClient(create_complexity_app(None, processes=1, seconds=1.0)) as client:
        functions = [{"code": code, "language": "typescript"} for code in (HANGING, CODE)]
        late, good = asked(client, functions=functions)["results"]
    assert late["error"] == "took longer than 2 s"
    assert good["functions"][0]["name"] == "sum"


def test_languages_are_those_with_rules(client: TestClient) -> None:
    told = client.get("/v1/complexity/languages").json()
    assert {each["name"] for each in told["languages"]} == set(RULES)
    assert ".mjs" in next(each["extensions"] for each in told["languages"] if each["name"] == "javascript")


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        (b"{", None, "not JSON"),
        (b"[1]", None, "must be a JSON object"),
        (b"[" * 100_000, None, "not JSON"),
        (b'{"code": "\\ud800", "language": "python"}', None, "not JSON"),
        (b'{"code": "x"}', "language", "Field required"),
        (b'{"code": 1, "language": "python"}', "code", "valid string"),
        (b'{"functions": [{"code": "x"}]}', "functions", "Field required"),
        (b'{"functions": [], "code": "x"}', "code", "not permitted"),
        (json.dumps({"functions": [{"code": "x", "language": "c"}] * (MOST_ITEMS + 1)}).encode(), "functions", "512"),
        (b'{"code": "x", "language": "c", "id": 1e400}', "id", "integer"),
        (b'{"code": "x", "language": "c", "id": 9007199254740993}', "id", "less than or equal"),
        (b'{"code": "x", "language": "c", "learned": true}', "learned", "no model"),
    ],
)
def test_a_request_that_is_wrong_is_told_which_field(
    client: TestClient, body: bytes, param: str | None, said: str
) -> None:
    answer = client.post("/v1/complexity", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert said in answer.json()["error"]["message"]


def test_limits_of_body_and_kind() -> None:
    with TestClient(create_complexity_app(None, processes=1, body_limit=100)) as client:
        assert client.post("/v1/complexity", json={"code": "x" * 200, "language": "c"}).status_code == 413
        plain = client.post("/v1/complexity", content=b"{}", headers={"content-type": "text/plain"})
        assert plain.status_code == 415


def test_with_a_token_every_route_is_closed_but_health_and_the_page() -> None:
    with TestClient(create_complexity_app(None, processes=1, token="s3cret-ü")) as client:
        schema = client.get("/openapi.json", headers={"authorization": "Bearer s3cret-ü".encode()}).json()
        assert set(schema["paths"]) == {"/v1/complexity", "/v1/complexity/languages", "/health", "/ready", "/metrics"}
        for path in [*schema["paths"], "/openapi.json", "/"]:
            for method in ("GET", "POST"):
                status = client.request(method, path, content=b"{").status_code
                is_open = (method, path) in {("GET", "/health"), ("GET", "/")}
                assert status in ((200,) if is_open else (401, 405)), (method, path)
        assert client.post("/v1/complexity", json={}).status_code == 401
        for path, operations in schema["paths"].items():
            assert all(("security" in each) == (path != "/health") for each in operations.values())
        page = client.get("/")
        assert "s3cret" not in page.text


def test_figures_are_prometheus_text(client: TestClient) -> None:
    asked(client, functions=[{"code": CODE, "language": "javascript"}, {"code": CODE, "language": "klingon"}])
    assert client.get("/ready").json() == {"status": "ready", "model": None}
    assert client.get("/no/such/path").status_code == 404
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["codefit_requests_total", "/v1/complexity", "200"] >= 1
    assert samples["codefit_requests_total", "404", "other"] >= 1
    assert samples["codefit_request_seconds_count", "/v1/complexity"] >= 1
    assert samples["codefit_functions_total", "javascript"] >= 1
    assert samples["codefit_refused_items_total",] >= 1
    assert samples["codefit_places",] == 16
    assert samples["codefit_requests_at_work",] == 0


# Whatever is sent: the schema of the answer is the one that was told, and never is it a failure of the server.

PIECES = st.sampled_from(
    [CODE, "", "def f(", "function f() {", "if (a) b", "\x00", "💥", "a\r\nb", "`${", "/*", "class A {"]
)
TEXTS = st.one_of(st.text(max_size=30), PIECES, st.lists(PIECES, max_size=4).map("".join))
# To a schema 1.0 is an integer, to this server it is none.
FLOATS = st.floats(allow_nan=False).filter(lambda number: not number.is_integer())
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), FLOATS, TEXTS)
ITEMS = st.fixed_dictionaries(
    {"code": TEXTS, "language": st.sampled_from([*RULES, "klingon", ""])},
    optional={"id": st.one_of(st.none(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(max_size=20))},
)
OPTIONS = {"explain": st.booleans(), "learned": st.sampled_from([None, False])}
VALID = st.one_of(
    st.fixed_dictionaries({"functions": st.lists(ITEMS, max_size=4)}, optional=OPTIONS),
    st.builds(lambda item, options: {**item, **options}, ITEMS, st.fixed_dictionaries({}, optional=OPTIONS)),
)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["functions", "code", "language", "id", "explain", "learned", "x"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def conforms(value: Any, schema: dict[str, Any], name: str) -> None:
    """Raise where a value is not what the schema says; every reference in it must lead somewhere."""
    jsonschema.validate(value, {"$ref": f"#/components/schemas/{name}", "components": schema["components"]})


def is_valid(value: Any, schema: dict[str, Any], name: str) -> bool:
    try:
        conforms(value, schema, name)
    except jsonschema.ValidationError:
        return False
    return True


@FUZZ
@given(body=VALID)
def test_what_the_schema_allows_is_answered_as_the_schema_says(
    client: TestClient, schema: dict[str, Any], body: dict[str, Any]
) -> None:
    conforms(body, schema, "ComplexityBatch" if "functions" in body else "ComplexitySource")
    answer = client.post("/v1/complexity", json=body)
    assert answer.status_code == 200, answer.text
    conforms(answer.json(), schema, "ComplexityAnswer")
    assert len(answer.json()["results"]) == len(body.get("functions", [body]))


@FUZZ
@given(body=ANY)
def test_anything_else_is_refused_in_words(client: TestClient, schema: dict[str, Any], body: Any) -> None:
    answer = client.post("/v1/complexity", content=json.dumps(body), headers={"content-type": "application/json"})
    allowed = [name for name in ("ComplexityBatch", "ComplexitySource") if is_valid(body, schema, name)]
    if allowed and body.get("learned"):
        allowed = []  # there is no model
    assert answer.status_code == (200 if allowed else 400), answer.text
    if not allowed:
        conforms(answer.json(), schema, "ErrorAnswer")


@FUZZ
@given(body=st.binary(max_size=200))
def test_bytes_that_are_no_json_are_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/complexity", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 400)


def test_every_reference_of_the_schema_leads_somewhere(client: TestClient, schema: dict[str, Any]) -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    found = set(references(schema))
    assert len(found) > 5
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in schema["components"]["schemas"], reference


def test_learned_scores_stand_beside_the_exact_ones() -> None:
    scorer = ByLength()
    with TestClient(create_complexity_app(scorer, processes=1)) as client:
        answer = asked(client, code=indent(CODE, "  ") + "function unreadable() {}\n", language="javascript")
        first, second = answer["results"][0]["functions"]
        assert answer["model"] == "by length"
        assert scorer.batches[-1] == ("javascript", [CODE.strip(), "function unreadable() {}"])
        score = round(1 + len(CODE.strip()) / 50, 2)
        assert first["learned"] == {"score": score, "low": round(score - 1, 2), "high": round(score + 1, 2),
                                    "label": "Moderate"}  # fmt: skip
        assert second["learned"] == {"error": "the answer holds no score"}
        whole = asked(client, code="a && b", language="javascript")["results"][0]
        assert whole["module"]["learned"]["score"] == 1.12
        without = asked(client, code=CODE, language="javascript", learned=False)["results"][0]
        assert "learned" not in without["functions"][0]
