"""CouchDB's JSON on the wire."""
