"""The errors of this package. One root, and beside it the built-in that a caller would expect."""


class PagesError(Exception):
    """Root of everything this package raises on purpose."""


class UndeclaredValueError(PagesError, LookupError):
    """A section read a value that it does not list in `values`: nothing would redraw it when that value changes."""


class LoadStoppedError(PagesError):
    """Somebody did not want to wait for a value: it was not loaded. In place of the value, never raised."""


class UnescapedError(PagesError, TypeError):
    """Plain text was handed over where escaped markup is expected."""
