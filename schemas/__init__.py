"""The documents: one JSON Schema each, with one merge rule (`x-merge`) per field."""
