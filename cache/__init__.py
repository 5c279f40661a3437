"""What is kept, and until when: computed values, each true as of one row of the event log.

Read in this order: `values` lists what can be cached; `manager` is the front door and hands out a `snapshot`; `lookup`
judges, finds and loads; `generations` knows how far each prefix has been invalidated; `entries` is one kept value and
its form on disk; `store` is what every place for entries can do, and the `*_store` are the places.
"""
