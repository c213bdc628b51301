"""The second look's one statement: a row a message, with all that it depends on as it stands now."""

from offers.queries.ignored import ignored_by
from offers.queries.sensitive import sensitive_where

# The device it goes to is the one it was written for while that has an address, else the one last seen that has. Where
# that device holds a socket open, the socket comes first, once: its receipt says so.
#
# Against the caps count other messages that went out, hold-outs, and earlier promises that still may: of two messages
# that are looked at together for the last place under a cap, the earlier gets it.
#
# OFFSET 0 keeps the planner from reading all receipts ever written instead of this message's.
#
# A customer is near while their last visit to the store lasts. Categories under a sensitive one are sensitive, too.
LOOK = rf"""
    WITH RECURSIVE {sensitive_where("is_sensitive")}
    SELECT m.id, m.message_id, m.channel, m.expires_at, m.customer_id,
           c.state AS coupon_state, c.valid_until AS coupon_valid_until, c.opened_at IS NOT NULL AS was_opened,
           c.code, c.terms->>'title' AS title, c.terms->>'body' AS body, c.terms->>'image_url' AS image_url,
           o.ref AS offer_ref, o.state AS offer_state, o.valid_until AS offer_valid_until,
           o.removed_at IS NOT NULL AS is_offer_removed,
           u.erased_at IS NOT NULL AS is_erased, u.granted, u.channels, u.paused_until, u.time_zone, u.language,
           u.has_own_quiet_hours, u.quiet_from, u.quiet_until, u.max_pushes_per_day, u.max_pushes_per_week,
           CASE WHEN u.email_dead_at IS NULL THEN u.email ELSE '' END AS email,
           CASE WHEN u.phone_dead_at IS NULL AND u.phone ~ '^\+[1-9][0-9]{{6,14}}$' THEN u.phone ELSE '' END AS phone,
           u.updated_at AS contact_at,
           d.id AS device_id, d.platform, d.registered_at, d.token, d.p256dh, d.auth, d.ref AS device_ref,
           s.channel AS socket_channel,
           COALESCE(x.transition, '') <> '' AS is_here, v.exited_at, v.id IS NOT NULL AS has_visit,
           others.sent_at, COALESCE(ignored.number, 0) AS ignored,
           (SELECT count(*) FROM offers_coupon b
             WHERE b.customer_id = m.customer_id AND b.state = 'issued' AND b.opened_at IS NULL
               AND b.valid_until > %(now)s)::int AS badge,
           EXISTS (SELECT FROM sensitive) AND (
               COALESCE(o.target_category_id IN (SELECT id FROM sensitive), false)
               OR EXISTS (SELECT FROM offers_product p
                           WHERE p.gtin = ANY(o.target_gtins) AND p.category_id IN (SELECT id FROM sensitive))
               OR EXISTS (SELECT FROM offers_offeraffinitykey k
                            JOIN offers_brand b ON b.key = k.key
                            JOIN offers_product p ON p.brand_id = b.id
                           WHERE k.offer_id = o.id AND k.kind = 'brand' AND k.is_exact
                             AND p.category_id IN (SELECT id FROM sensitive))) AS is_sensitive,
           COALESCE((SELECT is_stopped FROM offers_sendingswitch WHERE id = 1), false) AS is_stopped
      FROM offers_outboxmessage m
      JOIN offers_coupon c ON c.id = m.coupon_id
      JOIN offers_offer o ON o.id = c.offer_id
      JOIN customers_customer u ON u.id = m.customer_id
      LEFT JOIN offers_decision x ON x.coupon_id = m.coupon_id
      LEFT JOIN LATERAL (
           SELECT v.id, v.exited_at FROM offers_visit v
            WHERE v.customer_id = m.customer_id AND v.store_id = c.store_id AND v.aisle_id IS NULL
            ORDER BY v.entered_at DESC LIMIT 1) v ON x.transition <> ''
      LEFT JOIN LATERAL (
           SELECT d.id, d.device_id AS ref, d.platform, d.registered_at,
                  COALESCE(g.registration_id, a.registration_id, w.registration_id) AS token, w.p256dh, w.auth
             FROM customers_device d
             LEFT JOIN push_notifications_gcmdevice g ON g.id = d.fcm_id AND g.active
             LEFT JOIN push_notifications_apnsdevice a ON a.id = d.apns_id AND a.active
             LEFT JOIN push_notifications_webpushdevice w ON w.id = d.webpush_id AND w.active
            WHERE d.customer_id = m.customer_id AND d.active AND COALESCE(g.id, a.id, w.id) IS NOT NULL
            ORDER BY COALESCE(d.id = m.device_id, false) DESC, d.last_seen_at DESC, d.id DESC
            LIMIT 1) d ON m.channel NOT IN ('email', 'sms')
      LEFT JOIN LATERAL (
           SELECT v.channel
             FROM offers_opensocket o JOIN offers_socketserver v ON v.id = o.server_id
            WHERE o.customer_id = m.customer_id AND o.device_id = d.ref AND v.alive_until > %(now)s
              AND NOT EXISTS (SELECT FROM offers_receipt r
                               WHERE r.customer_id = m.customer_id AND r.message_id = m.id
                                 AND r.platform = 'socket'
                              OFFSET 0)) s ON true
      LEFT JOIN LATERAL (
           SELECT array_agg(e.exposed_at) AS sent_at
             FROM offers_exposure e LEFT JOIN offers_outboxmessage n ON n.coupon_id = e.coupon_id
            WHERE e.customer_id = m.customer_id AND e.exposed_at > %(since)s AND e.voided_at IS NULL
              AND e.coupon_id IS DISTINCT FROM m.coupon_id
              AND (n.id IS NULL OR n.state IN ('sent', 'dropped')
                   OR n.state IN ('queued', 'sending') AND n.id < m.id)) others ON true
      LEFT JOIN LATERAL (
           SELECT count(*)::int AS number{ignored_by("m.customer_id")}
             AND others.sent_at IS NOT NULL) ignored ON true
     WHERE m.id = ANY(%(messages)s::bigint[])
     ORDER BY m.id
"""  # noqa: S608 (constants of this house's own)
