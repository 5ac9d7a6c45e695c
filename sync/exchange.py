"""The exchange on the wire."""
