//! Cryptography as a value.
