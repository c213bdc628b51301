"""Reads for doors and reports; nothing here writes."""
