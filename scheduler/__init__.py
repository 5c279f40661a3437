"""Starts the new day. `day` looks every quarter of an hour whether some user's local date has advanced.

The only package that knows APScheduler. Being late or absent makes no page wrong, only less lively: dates are part of
the keys of all values that depend on them.
"""
