//! A bounded JSON reader.
