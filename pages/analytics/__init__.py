"""The analytics page. `page` says what stands where, and refreshes; `card` is what all its cards have in common.

One file per value: `relief`, `composite`, `trends`, `correlations`, `distribution`. How charts are drawn is in
`pages.charts`, what the numbers mean in `data.calculations`.
"""
