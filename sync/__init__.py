"""A CouchDB-compatible replication engine for any ASGI application; it knows nothing of households."""
