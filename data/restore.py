"""Puts a backup back, also while the app runs: every table becomes what it was, and the log goes on above all numbers.

It is one transaction like any other: readers see the state before it or after it. The rows of the log that the backup
does not have are gone, by which every process notices that the log went back (`Feed.on_rewind`); one `DataRestored` per
user, numbered above everything that was ever given out, makes stale what was computed before and comes late.
"""

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from data import backup, check, scratch
from data import log as event_log
from data.bulk import COPIED_AT_ONCE, Meter, Progress
from data.database import STAGED, Database, Transaction
from data.errors import BackupRefusedError, DatabaseBusyError, DatabaseDamagedError
from data.models import Base, Instance, Task, User
from events.catalog import DataRestored, UserId

try:
    import fcntl
except ImportError:  # Windows, which refuses to replace an open file
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

# Where SQLite locks a file as long as a connection in WAL mode is open (https://sqlite.org/src/file/src/os.h).
_SHARED_FIRST = 0x40000002
_SHARED_SIZE = 510


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What is there now, and where the state before it is kept (None if there was none)."""

    users: int
    tasks: int
    instances: int
    kept: Path | None


def restore(database: Database, source: Path, progress: Progress | None = None) -> Restored:
    """Make everything as in the backup *source*, after keeping the present state as another backup.

    *source* may be of an older version, and is not changed. The database may be open in this process and in others; if
    it is open nowhere, it may also be damaged or missing: then it is moved aside, and the backup takes its place. A
    sound one is locked for writing for about a second per 100,000 rows. What *progress* raises stops it, and everything
    is as it was.

    Raises:
        BackupRefusedError: *source* is no backup of ours, or holds no user.
        DatabaseBusyError: another process kept the write lock, or has the damaged database open.
        DatabaseDamagedError: *source* is damaged; or the database, and this process has it open.
        DatabaseUnusableError: *source* is of a newer version, there is no such file, or the disk is full.
    """
    _refuse_unsound(source)
    rows = _count_rows(source)
    meter = Meter(progress, 2 * rows)  # each is checked and copied, then written
    meter.advance(rows / 2)
    database.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with scratch.folder(database.file) as folder:
        staged = backup.copy(source, folder / "restored.db")
        Database(f"sqlite:///{staged}").upgrade()
        meter.reach_half()
        is_open = database.is_open
        try:
            if not is_open and not database.file.exists():
                kept = None
                _put_in_place(database, staged, None)
            else:
                try:
                    database.open(look=True)
                    kept = _replace_rows(database, staged, meter)
                except DatabaseDamagedError as damaged:
                    if is_open:  # connections of this process would go on with the old file
                        raise
                    log.warning("%s", damaged)
                    database.close()
                    kept = backup.path_for(database.file, "damaged", database.clock())
                    _put_in_place(database, staged, kept)
            with database.read() as read:
                counts = [_count(read.connection, model.__tablename__) for model in (User, Task, Instance)]
        finally:
            if not is_open:
                database.close()
    meter.finish()
    users, tasks, instances = counts
    return Restored(users=users, tasks=tasks, instances=instances, kept=kept)


def _refuse_unsound(source: Path) -> None:
    with check.opened(source) as connection:
        problems = check.damage(connection, quick=False)
        if problems:
            raise DatabaseDamagedError(f"{source} is damaged: {problems[0]}; nothing was restored")
        if check.version_of(connection) is None:
            raise BackupRefusedError(f"{source} is no backup of Reprieve: nothing was restored")
        if not connection.execute("SELECT count(*) FROM users").fetchone()[0]:
            raise BackupRefusedError(f"{source} holds no user: nothing was restored")


def _replace_rows(database: Database, staged: Path, meter: Meter) -> Path:
    """Replace every row of the open *database* by those of *staged*; return where the old ones are kept.

    If that fails, they are not kept twice.
    """
    kept = backup.copy(database.file, _path_for_present(database))
    with check.opened(kept) as connection:
        seq_of_kept, _ = event_log.newest_raw(connection)

    def command(transaction: Transaction) -> None:
        nonlocal kept
        connection = transaction.session.connection()
        if event_log.newest(connection)[0] != seq_of_kept:
            # Somebody wrote since. Nobody can any more, so this copy is of the very state that is replaced.
            older, kept = kept, backup.copy(database.file, _path_for_present(database))
            older.unlink()
        try:
            _write_rows(connection, meter)
        except BaseException:
            kept.unlink()  # nothing is replaced: what it holds is still there
            with contextlib.suppress(OSError):
                kept.parent.rmdir()
            raise
        _record(transaction)

    database.write(command, staged=staged)
    return kept


def _write_rows(connection: Connection, meter: Meter) -> None:
    """Replace every row by those of the attached file, some thousand at a time."""
    tables = Base.metadata.sorted_tables
    for table in reversed(tables):
        connection.exec_driver_sql(f"DELETE FROM main.{table.name}")
    for table in tables:
        columns = ", ".join(column.name for column in table.columns)
        insert = f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM {STAGED}.{table.name}"
        span = connection.exec_driver_sql(f"SELECT min(rowid), max(rowid) FROM {STAGED}.{table.name}").one()
        if span[0] is None:
            continue
        step = max(COPIED_AT_ONCE, (span[1] - span[0]) // 200)  # numbers of the log begin anywhere, and have gaps
        for start in range(span[0], span[1] + 1, step):
            done = connection.exec_driver_sql(f"{insert} WHERE rowid >= ? AND rowid < ?", (start, start + step))
            meter.advance(done.rowcount)


def _count_rows(source: Path) -> int:
    with check.opened(source) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return sum(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables)


def _put_in_place(database: Database, staged: Path, aside: Path | None) -> None:
    """Let *staged* take the place of the database's file, which is moved to *aside*, and open it."""
    file = database.file
    if aside is not None and _is_in_use(file):
        raise DatabaseBusyError(f"{file} is damaged, and a program has it open: stop it, then try again")
    if aside is not None:
        aside.parent.mkdir(exist_ok=True, mode=0o700)
    for suffix in ("-wal", "-shm"):  # first, so that they never stand beside a file that they do not belong to
        beside = file.with_name(file.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix)) if aside is not None else beside.unlink()
    if aside is not None:
        aside.hardlink_to(file)  # a link, so that at no moment there is no database
    staged.replace(file)
    backup.keep_names(file.parent)
    database.open()
    database.write(_record)


def _record(transaction: Transaction) -> None:
    connection = transaction.session.connection()
    of_seq, _ = event_log.newest(connection)
    for user in connection.exec_driver_sql("SELECT id FROM users ORDER BY id").scalars().all():
        transaction.record(DataRestored(user=UserId(user), at=transaction.now, of_seq=of_seq))


def _is_in_use(file: Path) -> bool:
    """Whether another process has the database open. This one must not have: closing the file drops its locks."""
    if fcntl is None:
        return False
    with file.open("r+b") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
        except OSError:
            return True
        return False


def _path_for_present(database: Database) -> Path:
    return backup.path_for(database.file, "before-restore", database.clock())


def _count(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
