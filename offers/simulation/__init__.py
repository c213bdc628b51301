"""What would be decided: the real pipeline along a path, at any time of the clock, and nothing of it stays.

docs/decisions/0015-simulation.md.
"""
