"""The first place in which two values differ, for people."""

from typing import Any

import msgspec


def difference(before: Any, after: Any) -> tuple[str, str]:
    """Return where two values differ first, and how: `("cards[3].value", "2 -> 3")`. How may quote a person."""
    path, old, new = _first(msgspec.to_builtins(before), msgspec.to_builtins(after), "")
    return path.lstrip(".") or "all of it", f"{_short(old)} -> {_short(new)}"


def _first(before: Any, after: Any, path: str) -> tuple[str, Any, Any]:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        name = next((name for name in before if before[name] != after[name]), None)
        if name is not None:
            return _first(before[name], after[name], f"{path}.{name}")
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        if len(before) != len(after):
            return f"{path} (how many)", len(before), len(after)
        index = next((index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new), None)
        if index is not None:
            return _first(before[index], after[index], f"{path}[{index}]")
    return path, before, after


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
