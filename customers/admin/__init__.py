"""The staff's pages about customers, their devices, their ledgers, and the credentials."""

from customers.admin import credentials, customers, devices, ledgers, staff

__all__ = ["credentials", "customers", "devices", "ledgers", "staff"]
