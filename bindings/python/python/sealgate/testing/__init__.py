"""Your own tests against your own policy: no network, no sleep, no real time.

    from sealgate import testing

    clock = testing.FixedClock(1_800_000_000)
    corp = testing.FakeIssuer("https://login.example.com", clock=clock, seed=1)
    tools = testing.open("policy.toml", issuers={"corp": corp}, clock=clock).gate("tools")

    jwt = corp.token(sub="u1", aud="https://api.example.com/mcp", scope="mcp:use")
    assert tools.judge(jwt).ok
    clock.advance("6m")
    assert tools.judge(jwt).code == "expired"

`FakeIssuer.serve()` is one whose keys are really fetched, from this machine.

`refusals(tools)` gives a request for every code the gate can give, to test your own answers with;
`unreachable(tools)` the codes that it does not give, and why:

    @pytest.mark.parametrize("code, call", testing.refusals(tools))
    def test_my_app_answers(client, code, call):
        answer = client.request(call.method, call.uri, headers=call.headers)
        assert answer.status_code == call.http_status
"""

from .._native import FixedClock, codes
from ._fakes import FakeAgent, FakeIssuer, open, policy
from ._refusals import Call, Request, refusals, unreachable
from ._serve import ServedIssuer

__all__ = [
    "Call",
    "FakeAgent",
    "FakeIssuer",
    "FixedClock",
    "Request",
    "ServedIssuer",
    "codes",
    "open",
    "policy",
    "refusals",
    "unreachable",
]
