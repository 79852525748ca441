//! Chains of generated tokens: one that only shrinks is accepted in whatever order it is given, and
//! none with a link taken out, put in or turned round.

use proptest::prelude::*;

use super::prove;
use crate::claims::{Claims, ScopeForm};
use crate::delegation::Coverage;
use crate::delegation::chain::{Chain, of_tests};
use crate::delegation::edge::{Member, Terms};
use crate::encoding::json::Json;
use crate::error::Code;
use crate::limits::Limits;
use crate::policy::{Edges, IntentRules, Kind, Lineage, Preset};
use crate::time::Span;

const AS: &str = "https://as.example";

/// One token: who acts, outermost first, with which scopes, and in which second it was issued.
#[derive(Clone, Debug)]
struct Token {
    actors: Vec<String>,
    scopes: Vec<u8>,
    issued_at: i64,
    expires_at: i64,
}

impl Token {
    /// The claims, with the audience of whoever exchanges it.
    fn claims(&self, aud: &str) -> Claims {
        let act = self.actors.iter().rev().fold(String::new(), |inner, sub| {
            let inner = if inner.is_empty() {
                inner
            } else {
                format!(",\"act\":{inner}")
            };
            format!("{{\"sub\":\"{sub}\"{inner}}}")
        });
        let act = if act.is_empty() {
            act
        } else {
            format!(",\"act\":{act}")
        };
        let scopes: Vec<String> = self
            .scopes
            .iter()
            .map(|scope| format!("s{scope}"))
            .collect();
        let text = format!(
            r#"{{"iss":"{AS}","sub":"u1","aud":"{aud}","scope":"{}","iat":{},"exp":{}{act}}}"#,
            scopes.join(" "),
            self.issued_at,
            self.expires_at
        );
        Claims::locate(Json::parse(text.into(), Limits::DEFAULT.into()).unwrap()).unwrap()
    }
}

/// A chain from the first token to the last, each with one actor more and no more scopes.
fn chains() -> impl Strategy<Value = Vec<Token>> {
    let step = (any::<u8>(), 0..5_i64, 0..5_i64);
    proptest::collection::vec(step, 3..7).prop_map(|steps| {
        let mut tokens = vec![Token {
            actors: Vec::new(),
            scopes: (0..8).collect(),
            issued_at: 1000,
            expires_at: 2000,
        }];
        for (number, (kept, later, shorter)) in steps.into_iter().enumerate() {
            let before = tokens.last().unwrap().clone();
            let mut actors = before.actors;
            actors.insert(0, format!("agent-{number}"));
            let kept = |scope: &u8| kept >> scope & 1 == 1;
            tokens.push(Token {
                actors,
                scopes: before.scopes.into_iter().filter(kept).collect(),
                issued_at: before.issued_at + later,
                expires_at: before.expires_at - shorter,
            });
        }
        tokens
    })
}

/// What is made of a chain whose last token is presented, the others given in any order.
fn judge(tokens: &[Token]) -> Result<Lineage, Code> {
    // The party that exchanges a token is named by it: the outermost actor of the next.
    let next = |place: usize| tokens.get(place + 1).and_then(|next| next.actors.first());
    let read: Vec<(Claims, Chain)> = tokens
        .iter()
        .enumerate()
        .map(|(place, token)| {
            let claims = token.claims(next(place).map_or("here", String::as_str));
            let chain = of_tests(&claims);
            (claims, chain)
        })
        .collect();
    prove_in_order(&read, |order| order)
}

fn prove_in_order<'m>(
    read: &'m [(Claims, Chain)],
    arrange: impl FnOnce(Vec<Member<'m>>) -> Vec<Member<'m>>,
) -> Result<Lineage, Code> {
    let member = |(claims, chain): &'m (Claims, Chain)| Member {
        kind: Kind::AccessToken,
        claims,
        iss: AS,
        chain,
        dates: claims.check_types(ScopeForm::Text).unwrap(),
        txn_namespace: AS,
    };
    let mut members: Vec<Member<'_>> = read.iter().map(member).collect();
    let leaf = members.pop().unwrap();
    let terms = Terms {
        edges: &Edges::DEFAULT,
        transactions: None,
        implies: &Vec::new(),
        intent: &IntentRules::NONE,
        leeway: Span::ZERO,
        preset: Preset::AgentStrict,
    };
    let proven = prove(
        &leaf,
        &arrange(members),
        Coverage::Partial,
        Lineage::Asserted,
        &terms,
    );
    proven
        .map(|proven| proven.lineage())
        .map_err(|error| error.code())
}

proptest! {
    #[test]
    fn a_chain_that_only_shrinks_is_proven_in_any_order(tokens in chains(), seed in any::<u64>()) {
        prop_assert_eq!(judge(&tokens), Ok(Lineage::IssuerAttested));
        let next = |place: usize| tokens.get(place + 1).map_or("here", |next| next.actors[0].as_str());
        let read: Vec<(Claims, Chain)> = tokens.iter().enumerate().map(|(place, token)| {
            let claims = token.claims(next(place));
            let chain = of_tests(&claims);
            (claims, chain)
        }).collect();
        let turned = prove_in_order(&read, |mut members| {
            let count = members.len();
            members.rotate_left(usize::try_from(seed % 7).unwrap() % count);
            if seed % 2 == 0 { members.reverse(); }
            members
        });
        prop_assert_eq!(turned, Ok(Lineage::IssuerAttested));
    }

    #[test]
    fn a_chain_with_a_token_taken_out_of_its_middle_is_broken(tokens in chains(), which in any::<u8>()) {
        let mut tokens = tokens;
        let place = 1 + usize::from(which) % (tokens.len() - 2);
        tokens.remove(place);
        prop_assert_eq!(judge(&tokens), Err(Code::ChainLinkBroken));
    }

    #[test]
    fn a_chain_with_a_link_changed_is_broken(tokens in chains(), which in any::<u8>(), how in 0..3_u8) {
        let mut tokens = tokens;
        let leaf = tokens.last_mut().unwrap();
        let place = 1 + usize::from(which) % (leaf.actors.len() - 1);
        match how {
            0 => { leaf.actors.remove(place); }
            1 => leaf.actors.insert(place, "agent-x".to_owned()),
            _ => leaf.actors.swap(0, place),
        }
        let judged = judge(&tokens);
        prop_assert!(matches!(judged, Err(Code::ChainLinkBroken)), "{judged:?}");
    }

    #[test]
    fn a_chain_that_grows_anywhere_is_refused(tokens in chains(), which in any::<u8>()) {
        let mut tokens = tokens;
        let place = 1 + usize::from(which) % (tokens.len() - 1);
        tokens[place].scopes.push(9);
        prop_assert_eq!(judge(&tokens), Err(Code::AttenuationScope));
        tokens[place].scopes.pop();
        tokens[place].expires_at = tokens[place - 1].expires_at + 1;
        // The next token then is within this one, as it was; this one is not.
        prop_assert_eq!(judge(&tokens), Err(Code::AttenuationTime));
    }
}
