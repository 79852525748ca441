"""Whatever one passes in, a token is judged and never believed for nothing."""

from __future__ import annotations

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sealgate
from sealgate import SealgateError, UsageError, testing

from conftest import AUDIENCE, NOW, document

clock = testing.FixedClock(NOW)
corp = testing.FakeIssuer("https://login.example.com", clock=clock, seed=1)
tools = testing.open(document(), issuers={"corp": corp}, clock=clock).gate("tools")
jwt = corp.token(aud=AUDIENCE, scope="mcp:use")

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(st.one_of(st.text(), st.binary(), st.text(alphabet="ab.=-_{}\ud800é")))
def test_rubbish(token: str | bytes) -> None:
    assert not tools.judge(token)
    assert not tools.verify_batch([token])[0]


@relaxed
@given(st.integers(0, len(jwt) - 1), st.characters())
def test_one_character_changed(place: int, character: str) -> None:
    changed = jwt[:place] + character + jwt[place + 1 :]
    assert tools.judge(changed).ok == (changed == jwt)


@relaxed
@given(st.one_of(st.none(), st.booleans(), st.integers(), st.lists(st.integers()), st.floats()))
def test_other_types(value: object) -> None:
    for call in (tools.judge, tools.verify, sealgate.inspect):
        try:
            call(value)
            raise AssertionError("accepted")
        except UsageError:
            pass


json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@relaxed
@given(st.dictionaries(st.text(), json))
def test_any_claims_come_back_as_signed(claims: dict[str, object]) -> None:
    verdict = tools.judge(corp.sign(sealgate.inspect(jwt).claims | {"x": claims}))
    if verdict.ok:
        token = verdict.unwrap()
        assert token.to_dict()["claims"]["x"] == claims
        assert token.payload


@relaxed
@given(json)
def test_any_policy_loads_or_is_refused(document: object) -> None:
    with contextlib.suppress(SealgateError):
        sealgate.Policy(document)
