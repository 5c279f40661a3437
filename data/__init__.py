"""The truth: tables, commands, the event log and its feed, and the calculations on them.

Every change is one transaction that also writes one event (`database`). Nothing here knows that anything is cached.
"""
