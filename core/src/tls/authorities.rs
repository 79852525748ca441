//! [`Authorities`]: those of the system; in their place those that `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` name; those that are built in, Mozilla's, only where the system has none at all,
//! as in an image that holds nothing but a program. They are read once a process.

use std::sync::OnceLock;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls_native_certs::CertificateResult;

/// Whose certificates are trusted.
pub(crate) enum Authorities {
    /// The system's own, or those that stand in their place.
    Found(Vec<CertificateDer<'static>>),
    /// The system has none.
    BuiltIn,
}

const NAMES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

impl Authorities {
    /// # Errors
    ///
    /// Where they cannot be read, in words for an operator. Whoever asks again reads again.
    pub(crate) fn get() -> Result<&'static Self, String> {
        static READ: OnceLock<Authorities> = OnceLock::new();
        if let Some(read) = READ.get() {
            return Ok(read);
        }
        let named = NAMES.iter().any(|name| std::env::var_os(name).is_some());
        let read = Self::choose(named, rustls_native_certs::load_native_certs())?;
        Ok(READ.get_or_init(|| read))
    }

    /// What somebody has named is taken whole, or not at all: nothing takes its place. Of the
    /// system's own, what can be read counts.
    fn choose(named: bool, read: CertificateResult) -> Result<Self, String> {
        let CertificateResult { certs, errors, .. } = read;
        let (usable, _) = RootCertStore::empty().add_parsable_certificates(certs.iter().cloned());
        let [file, folder] = NAMES;
        match (named, usable, errors.first()) {
            (true, _, Some(error)) => Err(format!("{file} or {folder} cannot be used: {error}")),
            (true, 0, None) => Err(format!(
                "{file} or {folder} names no certificate of an authority: PEM is wanted"
            )),
            (false, 0, Some(error)) => Err(format!(
                "the system's authorities cannot be read: {error}. {file} can name others"
            )),
            (false, 0, None) => Ok(Self::BuiltIn),
            (_, _, _) => Ok(Self::Found(certs)),
        }
    }

    #[cfg(any(feature = "feed-nats", feature = "remote"))]
    pub(crate) fn roots(&self) -> RootCertStore {
        match self {
            Self::Found(certificates) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates.iter().cloned());
                roots
            }
            Self::BuiltIn => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        }
    }

    /// As a client takes them that reads files, those that it could not use left out; `None` for
    /// those that are built in.
    #[cfg(feature = "feed-redis")]
    pub(crate) fn pem(&self) -> Option<Vec<u8>> {
        let Self::Found(certificates) = self else {
            return None;
        };
        let usable = certificates
            .iter()
            .filter(|der| RootCertStore::empty().add((*der).clone()).is_ok());
        Some(usable.flat_map(block).collect())
    }
}

#[cfg(feature = "feed-redis")]
fn block(certificate: &CertificateDer<'_>) -> Vec<u8> {
    let text = base64_simd::STANDARD.encode_to_string(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls_native_certs::{CertificateResult, ErrorKind};

    use super::Authorities;

    fn certificate() -> CertificateDer<'static> {
        let certificate = rcgen::generate_simple_self_signed(["as.example".to_owned()]);
        certificate.unwrap().cert.into()
    }

    fn read(certificates: usize, errors: usize) -> CertificateResult {
        let mut read = CertificateResult::default();
        read.certs.resize(certificates, certificate());
        let error = || rustls_native_certs::Error {
            context: "a test",
            kind: ErrorKind::Os("broken".into()),
        };
        read.errors.extend((0..errors).map(|_| error()));
        read
    }

    fn rubbish() -> CertificateResult {
        let mut read = CertificateResult::default();
        read.certs.push(vec![1, 2, 3].into());
        read
    }

    /// How many are found; `None` for those that are built in.
    fn chosen(named: bool, read: CertificateResult) -> Result<Option<usize>, String> {
        match Authorities::choose(named, read)? {
            Authorities::Found(found) => Ok(Some(found.len())),
            Authorities::BuiltIn => Ok(None),
        }
    }

    #[test]
    fn what_is_named_counts_alone_and_whole() {
        assert_eq!(chosen(true, read(2, 0)), Ok(Some(2)));
        for (read, wanted) in [
            (read(2, 1), "cannot be used: a test: broken"),
            (read(0, 1), "cannot be used: a test: broken"),
            (read(0, 0), "names no certificate"),
            (rubbish(), "names no certificate"),
        ] {
            let error = chosen(true, read).unwrap_err();
            assert!(
                error.starts_with("SSL_CERT_FILE or SSL_CERT_DIR "),
                "{error}"
            );
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn what_is_built_in_counts_only_where_the_system_has_none() {
        assert_eq!(chosen(false, read(2, 0)), Ok(Some(2)));
        assert_eq!(chosen(false, read(2, 1)), Ok(Some(2)));
        assert_eq!(chosen(false, read(0, 0)), Ok(None));
        let error = chosen(false, read(0, 1)).unwrap_err();
        assert!(error.contains("cannot be read: a test: broken"), "{error}");
    }

    /// One that a client would stumble over keeps it from none of the others.
    #[test]
    fn what_cannot_be_used_is_not_handed_on() {
        let mut read = read(1, 0);
        read.certs.push(vec![1, 2, 3].into());
        let authorities = Authorities::choose(false, read).unwrap();
        let pem = String::from_utf8(authorities.pem().unwrap()).unwrap();
        assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 1);
        assert_eq!(authorities.roots().len(), 1);
        assert_eq!(Authorities::BuiltIn.pem(), None);
        assert!(Authorities::BuiltIn.roots().len() > 50);
    }
}
