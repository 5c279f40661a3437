"""What can happen, what it makes stale, and how it is announced.

`catalog` lists the events, `rules` maps each to the prefixes it invalidates, `ruleset` applies and checks that table,
`patterns` is the address language of both, `bus` announces. This package imports nothing else of ours.
"""
