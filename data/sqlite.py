"""Chooses the one SQLite library of this process for the database of record.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL database that has two connections (fixed in 3.51.3), and the copies that
operating systems ship are older: where the `pysqlite3` wheel exists it is used instead of Python's own. Two copies
must never open one file in one process, so everything that opens the database imports `sqlite` from here.
"""

try:
    from pysqlite3 import dbapi2 as sqlite
except ImportError:  # no wheel for this platform
    import sqlite3 as sqlite

__all__ = ["sqlite"]
