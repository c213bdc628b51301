"""Re-makes the demo's and the tests' data files from the public originals; see docs/demo-data.md."""
