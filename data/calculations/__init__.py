"""What the numbers mean: formulas of one instance, metrics over days, and the loaders that pages and summaries show.

From the inside out: `formulas` and `averages` are arithmetic; `attempts` reads instances, `measures` applies the
formulas to one, `history` adds them up by local day, `windows` and `composite` make metrics of those sums, and
`registry` names and explains them. `dashboard`, `summary`, `analytics`, `relief` and `recommendations` hold the
loaders: plain functions `(read, view)` of one user's tables, preferences and local date, without a clock.
"""
