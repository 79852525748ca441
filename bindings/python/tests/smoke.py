"""The least that an installed wheel must do, with nothing else installed."""

from sealgate import Verifier, testing

clock = testing.FixedClock(1_800_000_000)
corp = testing.FakeIssuer("https://login.example.com", clock=clock, seed=1000)
policy = {
    "version": 1,
    "issuers": {
        "corp": {"issuer": corp.issuer, "algorithms": ["ES256"], "jwks": corp.jwks()},
    },
    "gates": {"tools": {"profile": "access_token", "audience": "a", "issuers": ["corp"]}},
}
tools = Verifier.from_policy(policy, clock=clock).gate("tools")
jwt = corp.token(sub="u1", aud="a")
batch = tools.verify_batch([jwt, "x"])
assert (tools.verify(jwt).subject, tools.judge("x").code) == ("u1", "malformed_token")
assert batch.counts == {"accepted": 1, "malformed_token": 1}
print("sealgate works")
