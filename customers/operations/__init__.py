"""What is done to customers: every write has a name here, and every door calls these."""

from customers.operations.consents import record_consent
from customers.operations.customers import CustomerUpsert, upsert_customers
from customers.operations.devices import PushAddress, register_device, remove_device, touch_device
from customers.operations.erasure import erase_customer
from customers.operations.errors import UnknownCustomer
from customers.operations.preferences import update_preferences
from customers.operations.profiles import rebuild_profiles
from customers.operations.purchases import record_purchases
from customers.operations.receipts import LineIn, ProductCodes, ReceiptIn, ReceiptResult
from customers.operations.tokens import IssuedToken, issue_token, revoke_tokens

__all__ = [
    "CustomerUpsert",
    "IssuedToken",
    "LineIn",
    "ProductCodes",
    "PushAddress",
    "ReceiptIn",
    "ReceiptResult",
    "UnknownCustomer",
    "erase_customer",
    "issue_token",
    "rebuild_profiles",
    "record_consent",
    "record_purchases",
    "register_device",
    "remove_device",
    "revoke_tokens",
    "touch_device",
    "update_preferences",
    "upsert_customers",
]
