//! Keys per issuer.
