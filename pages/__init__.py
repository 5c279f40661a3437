"""What a person sees: the pages, and the hub that redraws what changed on them.

`live` decides when something is redrawn, `section` is the smallest part that redraws itself, `visit` is one open page.
`routes` lists the pages and turns a request into one, `shell` is the frame around them, `preloading` covers them,
`shortcuts` the keys. `dashboard` is made of `metrics`, `task_lists`, `recommendations` and `onboarding`; what its
buttons do is in `deeds` and `dialogs`. `tasks` (with `search`, `record_rows` and `edits`), `goals`, `summary`,
`settings`, `experimental`, `glossary` and `inspector` are pages of their own, `analytics` is a folder with one;
`inventory` says which section stands where. `charts` draws, `terms` leads from names to the glossary, `why` answers for
a card, `address` keeps choices. `doors` lets requests in. Text gets into HTML through `markup` only. `install`
registers it all. The only package that knows NiceGUI.
"""

from pages.routes import Pages, install
from pages.services import Services

__all__ = ["Pages", "Services", "install"]
