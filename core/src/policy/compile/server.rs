//! Whether a `url` of `[stores.X]` can be the place of a server: what no client takes is told while
//! the policy loads, and not first by whoever has to revoke something.

use core::net::IpAddr;

/// What a client of Redis takes begins with one of these.
pub(super) const REDIS: [&str; 5] = [
    "redis://",
    "rediss://",
    "valkey://",
    "valkeys://",
    "unix://",
];
/// And one of NATS.
pub(super) const NATS: [&str; 2] = ["nats://", "tls://"];

/// What is wrong with the place of a Redis. It quotes nothing: there may be a password.
pub(super) fn flaw_of_redis(url: &str) -> Option<String> {
    let Some((scheme, rest)) = REDIS
        .iter()
        .find_map(|scheme| Some((*scheme, url.strip_prefix(scheme)?)))
    else {
        return Some(unknown(&REDIS));
    };
    if rest.contains('#') {
        // A client's `#insecure` would trust whoever answers.
        return Some("what is there has a \"#\"; in a password it is written %23".to_owned());
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then_some(value))
    };
    let database = if scheme == "unix://" {
        if !place.starts_with('/') {
            return Some("what is there names no file: unix:///run/redis.sock".to_owned());
        }
        query("db").unwrap_or_default()
    } else {
        let (server, path) = place.split_once('/').unwrap_or((place, ""));
        if !is_server(server) {
            return Some(format!(
                "what is there names no host and port: {scheme}user:password@host:6379"
            ));
        }
        path.trim_matches('/')
    };
    if !database.is_empty() && database.parse::<u32>().is_err() {
        return Some("what is there names a database that is no number".to_owned());
    }
    let protocols = ["2", "resp2", "3", "resp3"];
    query("protocol")
        .filter(|protocol| !protocols.contains(protocol))
        .map(|_| "what is there names a protocol that is none of 2 and 3".to_owned())
}

/// The same of one of NATS, or of several of one cluster, separated by commas.
pub(super) fn flaw_of_nats(urls: &str) -> Option<String> {
    if !NATS.iter().any(|scheme| urls.starts_with(scheme)) {
        return Some(unknown(&NATS));
    }
    let is_nats = |url: &str| {
        let rest = NATS.iter().find_map(|scheme| url.strip_prefix(scheme));
        // All but the first may leave out theirs.
        let rest = rest.unwrap_or(url);
        is_server(rest.strip_suffix('/').unwrap_or(rest))
    };
    let flawed = urls.split(',').any(|url| !is_nats(url));
    flawed.then(|| "what is there names no host and port: nats://host:4222".to_owned())
}

fn unknown(schemes: &[&str]) -> String {
    format!("what is there begins with none of {}", schemes.join(", "))
}

/// `[user[:password]@]host[:port]`, with a host that can be connected to.
fn is_server(text: &str) -> bool {
    let (_, place) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, "")) => (host, None),
        Some((host, port)) => match port.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None => return false,
        },
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let anywhere = host
        .parse::<IpAddr>()
        .is_ok_and(|host| host.is_unspecified());
    let odd = |byte: u8| byte.is_ascii_whitespace() || b"/?#@[]".contains(&byte);
    !host.is_empty()
        && !anywhere
        && !host.bytes().any(odd)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::{flaw_of_nats, flaw_of_redis};

    #[test]
    fn what_clients_take() {
        for url in [
            "redis://h",
            "rediss://user:p%23w@redis.internal:6379/0",
            "valkeys://:pw@[::1]:6379/",
            "redis://10.0.0.1:6379/15?protocol=resp3",
            "unix:///run/redis.sock?db=3&user=a&pass=b",
        ] {
            assert_eq!(flaw_of_redis(url), None, "{url}");
        }
        for url in [
            "nats://h",
            "tls://user:pw@nats.internal:4222",
            "nats://a:4222,nats://b:4222,c",
            "nats://[::1]:4222/",
        ] {
            assert_eq!(flaw_of_nats(url), None, "{url}");
        }
    }

    #[test]
    fn what_no_client_takes_and_nothing_of_it_is_shown() {
        for (url, part) in [
            ("http://s3cret", "begins with none of redis://"),
            ("redis://:s3cret@127.0.0.1:6379/notadb", "no number"),
            ("redis://:s3cret@127.0.0.1:6379/-1", "no number"),
            ("redis://:s3cret@h:6379o", "no host and port"),
            ("redis://:s3cret@h:65536", "no host and port"),
            ("redis://:s3cret/@h", "no host and port"),
            ("redis://", "no host and port"),
            ("redis://:s3cret@0.0.0.0", "no host and port"),
            ("redis://:s3cret@[::1]6379", "no host and port"),
            ("rediss://:s3cret@h/#insecure", "%23"),
            ("redis://:s3cret@h?protocol=4", "protocol"),
            ("unix://run/redis.sock?pass=s3cret", "names no file"),
            ("unix:///run/redis.sock?db=x&pass=s3cret", "no number"),
        ] {
            let flaw = flaw_of_redis(url).unwrap();
            assert!(
                flaw.contains(part) && !flaw.contains("s3cret"),
                "{url}: {flaw}"
            );
        }
        for (url, part) in [
            ("ws://s3cret", "begins with none of nats://"),
            ("nats://u:s3cret@h:x", "no host and port"),
            ("nats://u:s3cret@h,", "no host and port"),
            ("nats://u:s3cret@a,ws://b", "no host and port"),
        ] {
            let flaw = flaw_of_nats(url).unwrap();
            assert!(
                flaw.contains(part) && !flaw.contains("s3cret"),
                "{url}: {flaw}"
            );
        }
    }
}
