"""The join of documents."""
