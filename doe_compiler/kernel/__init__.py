"""What every room may use: errors, findings, canonical text and digests, the types on the wire."""
