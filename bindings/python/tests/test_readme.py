"""The examples of the README run as they stand."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from sealgate import testing

from conftest import AUDIENCE, ISSUER

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    corp = testing.FakeIssuer(ISSUER, seed=1000)
    (policy,) = blocks("toml")
    Path("policy.toml").write_text(policy)
    Path("corp.jwks.json").write_text(json.dumps(corp.jwks()))
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", act=["agent-7"], claims={"tenant": "t1"})
    names: dict[str, object] = {"jwt": jwt, "__name__": "__main__"}
    shown = io.StringIO()
    examples = blocks("python")
    assert len(examples) == 15
    with contextlib.redirect_stdout(shown):
        for number, example in enumerate(examples):
            code = compile(example, f"README example {number}", "exec", dont_inherit=True)
            exec(code, names)
    handle: Any = names["handle"]
    assert asyncio.run(handle(jwt)) == "u1"
    assert f"u1 Actor(iss='{ISSUER}', sub='agent-7') ('mcp:use',)\n" in shown.getvalue()
    assert "None\n{}\n" in shown.getvalue()
    assert "issuer_attested ()\nrevoked\n" in shown.getvalue()
    assert "1 {'accepted': 1, 'malformed_token': 1}\n1 malformed_token\n" in shown.getvalue()
    assert "StoreState(name='local', reach='host', " in shown.getvalue()
    test: Any = names["test_my_app_answers"]
    (_, calls) = test.pytestmark[0].args
    assert len(calls) > 20
    for code, call in calls:
        test(code, call)
    status, headers, body = names["answer"]
    assert status == 403 and "insufficient_scope" in body and "WWW-Authenticate" in headers


def test_links_hold_where_it_is_shown() -> None:
    """The page on the package index has no repository beside it."""
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links and all(link.startswith("https://") for link in links)
