"""What a last-minute deal should cost now, how many may hear of it, and when to stop; docs/algorithms/yield.md."""
