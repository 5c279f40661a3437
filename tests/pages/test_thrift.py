"""What is remembered for NiceGUI is still asked by it, and answered as before."""

import inspect

import pytest
from nicegui import helpers, ui
from nicegui.testing import User


class Heard:
    def nothing(self, *more: object, word: str = "") -> None: ...

    def something(self, event: object) -> None: ...

    @classmethod
    def of_class(cls, event: object) -> None: ...


async def test_making_elements_reads_no_signatures(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    await user.open("/")
    assert user.client is not None
    read: list[object] = []
    real = inspect.Signature.from_callable.__func__

    def counted(cls: type, obj: object, **values: object) -> inspect.Signature:
        read.append(obj)
        return real(cls, obj, **values)

    with user.client:
        ui.element("div").classes("first")
        monkeypatch.setattr(inspect.Signature, "from_callable", classmethod(counted))
        ui.element("div").classes("second").props("title=Second")
    assert read == []


async def test_a_method_is_asked_for_arguments_as_before(user: User) -> None:
    await user.open("/")
    for _ in range(2):
        assert not helpers.expects_arguments(Heard().nothing)
        assert helpers.expects_arguments(Heard().something)
        assert helpers.expects_arguments(Heard.of_class)
        assert helpers.expects_arguments(lambda event: None)
        assert not helpers.expects_arguments(lambda: None)
