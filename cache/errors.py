"""The errors of this package. One root, and beside it the built-in that a caller would expect."""


class CacheError(Exception):
    """Root of everything this package raises on purpose."""


class LoadError(CacheError, RuntimeError):
    """A value could not be computed, and nothing that may be shown in its place is kept. `key` says which."""

    def __init__(self, key: str, cause: BaseException) -> None:
        super().__init__(f"{key} could not be computed: {cause}")
        self.key = key


class LoadStoppedError(LoadError):
    """Somebody stopped the load that this one waited for: nothing is wrong."""

    def __init__(self, key: str) -> None:
        super().__init__(key, RuntimeError("it was stopped"))


class UnknownNameError(CacheError, LookupError):
    """A pattern covers no value, or there is no such subsystem."""


class UnstorableValueError(CacheError, TypeError):
    """A value has no form in which it could be kept."""


class SettingsError(CacheError, ValueError):
    """An environment variable holds what it may not."""
