"""What a peer can get wrong."""
