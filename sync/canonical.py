"""Canonical JSON (RFC 8785, integers only)."""
