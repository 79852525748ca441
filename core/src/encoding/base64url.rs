//! base64url (RFC 4648 §5), unpadded and canonical.
