"""What follows from a customer's own facts: pure functions on plain values."""
