"""Messages that arrived and ran out unopened, one after the other: one expression for every statement that asks."""


def ignored_by(customer: str) -> str:
    """Return FROM and WHERE of the customer's coupons of that kind since the last that was opened or used; parameter `now`.

    customer: the column that has the customer's id.
    """
    return f"""
            FROM offers_coupon k JOIN offers_outboxmessage n ON n.coupon_id = k.id AND n.state = 'sent'
           WHERE k.customer_id = {customer} AND k.valid_until <= %(now)s
             AND k.opened_at IS NULL AND k.state IN ('issued', 'expired')
             AND NOT EXISTS (SELECT FROM offers_coupon later
                              WHERE later.customer_id = k.customer_id AND later.issued_at >= k.issued_at
                                AND (later.opened_at IS NOT NULL OR later.state = 'redeemed'))"""
