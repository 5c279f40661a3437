"""What NiceGUI works out anew for each element although the answer is always the same: here it is remembered."""

import weakref
from collections.abc import Callable
from typing import Any

from nicegui import helpers


def remember_signatures() -> None:
    """Let NiceGUI look only once at the signature of each method that is told of changes. May be called again.

    It asks whether such a method takes an argument three times for each element, for its classes, style and
    attributes. Reading a signature takes longer than all the rest of making an element.
    """
    # NOTE: NiceGUI 3.18 looks the function up in this module each time; one that does not would be as slow as before,
    # and tests/pages/test_thrift.py would tell.
    if not isinstance(helpers.expects_arguments, _Remembering):
        helpers.expects_arguments = _Remembering(helpers.expects_arguments)


class _Remembering:
    """Answers as *ask* does; for methods, as it did for the same method of another object."""

    def __init__(self, ask: Callable[[Callable[..., Any]], bool]) -> None:
        self._ask = ask
        self._known: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()

    def __call__(self, func: Callable[..., Any]) -> bool:
        function = getattr(func, "__func__", None)
        if function is None:
            return self._ask(func)
        known = self._known.get(function)
        if known is None:
            known = self._known[function] = self._ask(func)
        return known
