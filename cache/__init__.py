"""What is kept, and until when: computed values, each true as of one row of the event log.

`values` lists what can be cached, `manager` answers readers, `generations` knows how far each prefix has been
invalidated, `entries` is one kept value and its form on disk, `*_store` are the places it may be kept in.
"""
