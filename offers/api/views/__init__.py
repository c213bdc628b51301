"""The doors, one file per subject."""
