"""The doors of `customers`, and the plumbing that every door of the house shares."""
