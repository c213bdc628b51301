"""The refusals that several operations share."""


class UnknownCustomer(Exception):
    """There is no such customer, or they were erased."""
