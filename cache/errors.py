"""The errors of this package. One root, and beside it the built-in that a caller would expect."""

_FAILED = " could not be computed: "


class CacheError(Exception):
    """Root of everything this package raises on purpose."""


class LoadError(CacheError, RuntimeError):
    """A value could not be computed, and nothing that may be shown in its place is kept. `key` says which."""

    def __init__(self, key: str, cause: BaseException) -> None:
        why = str(cause)
        said, separator, rest = why.partition(_FAILED)
        if separator and (said == key or said.startswith(f"{key}.")):  # perhaps with its day: said once
            why = rest
        super().__init__(f"{key}{_FAILED}{why}")
        self.key = key


class LoadStoppedError(LoadError):
    """Somebody stopped the load that this one waited for: nothing is wrong."""

    def __init__(self, key: str) -> None:
        super().__init__(key, RuntimeError("it was stopped"))


class UnknownNameError(CacheError, LookupError):
    """A pattern covers no value, or there is no such subsystem."""


class UnstorableValueError(CacheError, TypeError):
    """A value has no form in which it could be kept."""


class InvalidArgumentError(CacheError, ValueError):
    """What was given to the cache is of another type or beyond its range."""


class SettingsError(CacheError, ValueError):
    """An environment variable holds what it may not."""
