"""What to write where a document has several leaves."""
