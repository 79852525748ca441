//! What TLS failed for, in words that an operator can act on.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::AlertDescription::CertificateRequired;
use rustls::CertificateError::{BadSignature, UnknownIssuer};
use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};

/// Where the authorities of a whole process are named.
#[cfg(any(feature = "feed-nats", feature = "feed-redis"))]
pub(crate) const OF_PROCESS: &str = "SSL_CERT_FILE, which takes the place of the system's";
/// The same, where the policy may name some for one issuer.
#[cfg(feature = "remote")]
pub(crate) const OF_ISSUER: &str = "ca_file, or, where the policy has none, in SSL_CERT_FILE, \
                                    which takes the place of the system's";

/// What TLS failed for, if it is TLS that failed, and what to do about it. `place` is where an
/// authority can be named.
pub(crate) fn explain(error: &(dyn Error + 'static), place: &str) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(advise(error, place));
        }
        cause = within(error).or_else(|| error.source());
    }
    None
}

/// The error that another only wraps: its source is the one behind that.
fn within<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return Some(error.get_ref()?);
    }
    let shared = error.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    Some(&**shared)
}

/// What an error of TLS says, and what to do about it.
pub(crate) fn advise(error: &rustls::Error, place: &str) -> String {
    // An authority of the same name with another key, as one has who begins anew, is another one.
    if let InvalidCertificate(UnknownIssuer | BadSignature) = error {
        format!(
            "the server's certificate is of no authority that is trusted here. If it is one of your \
             own, name a PEM file with that authority's certificate in {place}"
        )
    } else if matches!(error, InvalidMessage(_)) {
        format!("what answers there does not speak TLS ({error})")
    } else if matches!(error, AlertReceived(CertificateRequired)) {
        "the server asks its clients for a certificate, and sealgate shows none".to_owned()
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;
    use std::sync::Arc;

    use rustls::{AlertDescription, CertificateError, InvalidMessage};

    use super::explain;

    /// As a client's errors wrap it.
    fn told(error: rustls::Error) -> String {
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error));
        let error: Arc<dyn Error + Send + Sync> = Arc::new(error);
        explain(&error, super::OF_PROCESS).unwrap()
    }

    #[test]
    fn an_error_of_tls_says_what_to_do_wherever_it_hides() {
        for of_another in [
            CertificateError::UnknownIssuer,
            CertificateError::BadSignature,
        ] {
            let error = rustls::Error::InvalidCertificate(of_another);
            assert!(told(error).contains("SSL_CERT_FILE"));
        }
        let plain = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        assert!(told(plain).contains("does not speak TLS"));
        let mutual = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
        assert!(told(mutual).contains("asks its clients"));
        let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
        assert_eq!(told(expired.clone()), expired.to_string());
        assert_eq!(explain(&io::Error::other("of another kind"), ""), None);
        assert_eq!(explain(&io::Error::from(io::ErrorKind::TimedOut), ""), None);
    }
}
