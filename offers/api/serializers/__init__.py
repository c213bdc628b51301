"""The bodies that doors read and write, one file per subject."""
