"""The cache's part of the configuration, read from the environment once, at the start.

A wrong value stops the start with a sentence that names the variable, what it holds and what it may hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from cache.errors import SettingsError
from data.preferences import AccountTier, CacheBackend, CacheMode, Profile

Word = TypeVar("Word", bound=StrEnum)

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "data" / "cache"

VARIABLES = {
    "CACHE_MODE": ("selective", "`full`, `selective` or `disabled`, for users who have not chosen themselves"),
    "CACHE_BACKEND": ("hybrid", "`memory`, `file` or `hybrid`, for users who have not chosen themselves"),
    "CACHE_BACKENDS_FREE": ("memory,file,hybrid", "the backends that users of this account tier may choose"),
    "CACHE_BACKENDS_STANDARD": ("memory,file,hybrid", "the same; it is the tier that users have unless told otherwise"),
    "CACHE_BACKENDS_PREMIUM": ("memory,file,hybrid", "the same"),
    "CACHE_DIR": ("data/cache/", "where cached values are kept on disk; disposable at any time"),
    "CACHE_MAX_SIZE_MB": ("100", "bound of each tier, in MB; all numbers of somebody with 10,000 attempts take 6"),
    "CACHE_AUDIT_PERCENT": ("1", "how much of the time the auditor may compare kept values with fresh loads; 0: never"),
    "CACHE_AUDIT_WHEN": ("idle", "`idle` or `always`: whether it holds still while anybody reads or writes"),
}
"""Name -> default and meaning, as the README shows them."""


class AuditWhen(StrEnum):
    """When the auditor may work."""

    IDLE = "idle"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """What the operator chose. Mode and backend are defaults: a user's preference goes before them.

    `allowed` says which backends the users of an account tier may choose. For who chose another one, or nothing where
    the default is not allowed, the first one that is allowed counts.
    """

    mode: CacheMode = CacheMode.SELECTIVE
    backend: CacheBackend = CacheBackend.HYBRID
    folder: Path = DEFAULT_FOLDER
    max_size_mb: int = 100
    """Per tier, in MB of 2**20 bytes."""
    audit_percent: int = 1
    """How much of the time the auditor may take, 0 to 100."""
    audit_when: AuditWhen = AuditWhen.IDLE
    allowed: Mapping[AccountTier, tuple[CacheBackend, ...]] = field(
        default_factory=lambda: dict.fromkeys(AccountTier, tuple(CacheBackend))
    )

    def mode_for(self, profile: Profile) -> CacheMode:
        """Return the mode that counts for this user."""
        return profile.cache_mode or self.mode

    def backends_of(self, tier: AccountTier) -> tuple[CacheBackend, ...]:
        """Return the backends that users of *tier* may choose; never empty."""
        return self.allowed[tier]

    def backend_for(self, profile: Profile) -> CacheBackend:
        """Return the backend that counts for this user."""
        allowed = self.allowed[profile.account_tier]
        chosen = profile.cache_backend or self.backend
        return chosen if chosen in allowed else allowed[0]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "CacheSettings":
        """Read the variables of `VARIABLES`; what is unset has its default.

        Raises:
            SettingsError: one of them holds what it may not.
        """
        default = cls()
        return cls(
            mode=_word(environment, "CACHE_MODE", CacheMode, default.mode),
            backend=_word(environment, "CACHE_BACKEND", CacheBackend, default.backend),
            folder=Path(environment.get("CACHE_DIR") or default.folder).expanduser().resolve(),
            max_size_mb=_whole(environment, "CACHE_MAX_SIZE_MB", default.max_size_mb, least=1, most=1_000_000),
            audit_percent=_whole(environment, "CACHE_AUDIT_PERCENT", default.audit_percent, least=0, most=100),
            audit_when=_word(environment, "CACHE_AUDIT_WHEN", AuditWhen, default.audit_when),
            allowed={
                AccountTier.FREE: _words(environment, "CACHE_BACKENDS_FREE", CacheBackend),
                AccountTier.STANDARD: _words(environment, "CACHE_BACKENDS_STANDARD", CacheBackend),
                AccountTier.PREMIUM: _words(environment, "CACHE_BACKENDS_PREMIUM", CacheBackend),
            },
        )


def _word(environment: Mapping[str, str], variable: str, words: type[Word], default: Word) -> Word:
    given = environment.get(variable)
    if not given:
        return default
    try:
        return words(given)
    except ValueError:
        *most, last = words
        raise SettingsError(f"{variable}={given!r}: expected {', '.join(most)} or {last}") from None


def _words(environment: Mapping[str, str], variable: str, words: type[Word]) -> tuple[Word, ...]:
    given = environment.get(variable)
    if not given:
        return tuple(words)
    chosen = dict.fromkeys(part.strip() for part in given.split(","))
    try:
        return tuple(words(word) for word in chosen)
    except ValueError:
        raise SettingsError(
            f"{variable}={given!r}: expected some of {', '.join(words)}, with commas between them"
        ) from None


def _whole(environment: Mapping[str, str], variable: str, default: int, *, least: int, most: int) -> int:
    given = environment.get(variable)
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or not least <= int(given) <= most:
        raise SettingsError(f"{variable}={given!r}: expected a whole number from {least:,} to {most:,}")
    return int(given)
