"""The commands of `python -m data`: those about one user's `rows`, and those about the database's `files`.

Each has an entry for the parser and a function that does it; what surrounds them all is in `data.__main__`.
"""
