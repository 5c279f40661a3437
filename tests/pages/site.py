"""The main file of the page tests: what NiceGUI's `user` fixture runs."""

from tests.pages.stage import Current

assert Current.stage is not None
Current.stage.install()
