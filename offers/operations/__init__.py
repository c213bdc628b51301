"""What staff and machines do to offers and messages: each a named write, in one transaction."""
