"""Stores, products and purchases from files: streamed, each line judged alone; docs/imports.md."""
