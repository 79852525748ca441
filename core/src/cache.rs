//! A bounded cache of verified tokens.
