"""What a customer's next basket will hold: docs/algorithms/next-basket.md. Arrays in, arrays out; no database, no clock."""
