"""What the numbers mean: formulas of instances, metrics over days, and the loaders that pages and summaries show.

From the inside out: `formulas` and `averages` are arithmetic; `completed` reads instances as columns and applies the
formulas; `months` sums them up by month and `past` adds months up, in pieces that are worth keeping (`data.pieces`);
`series` puts days in a row, `windows` and `composite` make metrics of them, and `registry` names and explains them.
`dashboard`, `summary`, `analytics`, `relief` and `recommendations` hold the loaders: plain functions `(read, view)` of
one user's tables, preferences and local date, without a clock. `goals` is called by its page, uncached. The same
calculations, slow and obvious, one row at a time, are in `tests/data/calculations/reference/`.
"""
