"""CSV files out of the database and into it again, exactly.

What the files look like is in `columns`, writing them in `export`, checking and taking them in `imports`; `archive`
does both with ZIP archives.
"""

from data.transfer.archive import export_zip, import_files
from data.transfer.columns import Counts
from data.transfer.export import export_to
from data.transfer.imports import import_from

__all__ = ["Counts", "export_to", "export_zip", "import_files", "import_from"]
