"""One user's data out of the database and into it again, exactly, as CSV or JSON files.

What the files hold is in `columns`, how one value is written in `cells`, writing files in `export`. Reading them is in
`csv_rows` and `json_rows`, checking and taking what they read in `imports`.
"""

from data.transfer.columns import Counts
from data.transfer.export import export_to
from data.transfer.files import Format
from data.transfer.imports import import_from

__all__ = ["Counts", "Format", "export_to", "import_from"]
