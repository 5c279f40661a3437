"""What somebody might type to break something: kinds of text that programs have choked on. For tests of all rooms."""

import string

PWN = "window.pwned = (window.pwned || 0) + 1"
"""What a payload does if a browser runs it."""

LIVE = (
    f"<script>{PWN}</script>",
    f"<img src=x onerror='{PWN}'>",
    f'"><img src=x onerror="{PWN}">',
    f"'><svg onload={PWN.replace(' ', '')}>",
    f"<svg><script>{PWN}</script></svg>",
    f"<iframe srcdoc='<script>parent.{PWN}</script>'></iframe>",
    f"<details open ontoggle='{PWN}'>",
    f"<input autofocus onfocus='{PWN}'>",
    f'<a href="javascript:{PWN}" id=x tabindex=1 autofocus>x</a>',
    f"<style>@keyframes x{{}}</style><b style='animation-name:x' onanimationstart='{PWN}'>",
    f"</textarea></title></script><script>{PWN}</script>",
    f"`);{PWN};(`",
    f"${{{PWN}}}",
    f"');{PWN};//",
    f'");{PWN};//',
    f"\\');{PWN};//",
    f"{{{{ constructor.constructor('{PWN}')() }}}}",
    f"javascript:{PWN}",
    f"<math><mtext><table><mglyph><style><img src=x onerror='{PWN}'>",
    f"<!--<img src='--><img src=x onerror={PWN.replace(' ', '')}>",
    f"\u2028{PWN}\u2029",
    f"</script><script type=module>{PWN}</script>",
    f"&lt;script&gt;{PWN}&lt;/script&gt;",
)
"""Payloads that run in a page that shows text as markup, as a template or inside of a script."""

PRINTABLE = (
    *(payload for payload in LIVE if "\u2028" not in payload),
    "'; DROP TABLE tasks; --",
    '" OR 1=1 --',
    "%' ESCAPE '",
    "100%_\\",
    "=1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "'tis",
    "\uff1d1+1",
    "../../etc/passwd",
    "{0.__class__}",
    "%s%n%x",
    "${jndi:ldap://x}",
    "NULL",
    "None",
    "undefined",
    "NaN",
    "-0",
    "1e309",
    "#REF!",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f3\ufe0f\u200d\U0001f308",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "a" + "\u0301" * 50,
    "\ufdfd",
    "\ufb01 \xdf \u0130 \u0131 \u017f",
    "x" * 200,
    "日本語" * 20,
    string.punctuation,
    "a, b; c",
)
"""Text on one line in which every character can be seen or is part of one that can: it has to be kept as it is."""

UNSEEN = (
    "\u202eevil\u202c",
    "\u2066isolated\u2069",
    "zero\u200bwidth",
    "\ufeffmark",
    "bell\a",
    "escape\x1b[31m",
    "line\nbreak",
    "carriage\rreturn",
    "tab\tbed",
    "para\u2028graph\u2029",
    "\x7f",
    "\x85",
    "soft\u00adhyphen",
    "\U000e0041tag",
)
"""Text with characters that cannot be seen, or that change how others are seen: kept in notes, refused in names."""

IMPOSSIBLE = ("nul\0byte", "lone\ud800surrogate", "\udfff", "\0")
"""What no database can keep as text: refused everywhere."""

HUGE = ("x" * 1_000_000, "\n" * 1_000_000, "\U0001f4a3" * 1_000_000, "<b>" * 333_333)
"""As long as a text may be."""

TOO_LONG = tuple(text + "x" * 2 for text in HUGE)

EVERYTHING = (*PRINTABLE, *UNSEEN, *IMPOSSIBLE, "", " ", "\u200d")
