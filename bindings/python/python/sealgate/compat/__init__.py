"""Other libraries' calls over the sealgate engine, for a change of one import."""
