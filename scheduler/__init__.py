"""What happens by the clock: days start, routines are planned, and the house is kept in order.

`jobs` is the table of what is done how often, and does it; `day` is what the look at the clock does, `warmth` what is
made ready after it, `backups` keeps copies of the database, `clockwork` wakes them all up. The only package that knows
APScheduler. Being late or absent makes no page wrong, only less lively: dates are part of the keys of all values that
depend on them.
"""
