"""What the rules come to: catalog, rules, values and sections of pages held against each other.

`faults` is what stops a start, `emission` knows what can happen at all. `chain` says what an event leads to, `graph`
draws it. `observing` runs every command on made-up data, with an eye on the `surroundings` of loaders, and `judging`
holds what it saw against the rules. Which sections there are comes from above, as `Part`s; nothing here knows a page.
"""
