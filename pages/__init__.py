"""What a person sees: the pages, and the hub that redraws what changed on them.

`live` decides when something is redrawn, `section` is the smallest part that redraws itself, `visit` is one open page.
`shell` is the frame around every page; `dashboard` and `summary` compose their sections. `install` registers it all.
The only package that knows NiceGUI.
"""

from pages.routes import Pages, install
from pages.services import Services

__all__ = ["Pages", "Services", "install"]
