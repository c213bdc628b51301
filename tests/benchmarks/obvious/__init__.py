"""Rayon once more, slow and obvious: one event, one transaction, Django's ORM, written from docs/ and not from offers/.

It is the yardstick of what the pipeline gains, and the oracle that the pipeline's decisions are compared with. It
knows what the benchmarks' world contains: circles, beacons, phones' own transitions, consents, caps, quiet hours,
affinity, limits and capacity; no polygons, no deals. From the product it takes the tables, the values that travel,
the settings, and what no document can settle twice: the hash of the hold-out, codes, the folding of brands' names.
"""
