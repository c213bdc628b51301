"""Real data for the demo, cut small; ATTRIBUTION.md says whose it is, docs/demo-data.md how it was made."""
