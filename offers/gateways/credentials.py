"""Keys that are not what they should be."""


class BadCredentialsFile(Exception):
    """A provider's key file cannot be read, or is not one."""
