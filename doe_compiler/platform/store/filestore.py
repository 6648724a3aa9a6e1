"""Uploads and parameter tables in the database."""

# ruff: noqa: S608
# Only fixed names of columns and conditions are put into queries; values are always bound.

import json
from collections.abc import Iterable

from doe_compiler.platform.store.database import User, new_id
from doe_compiler.platform.store.records import StoredFile
from doe_compiler.platform.store.tables import TableIndex
from doe_compiler.platform.store.users import Users

FILE_COLUMNS = "id, name, size, md5, sha512, type_id, uploaded_us, owner"

# The ids of uploads are letters, those of outputs have digits.
IS_UPLOAD = "id NOT GLOB '*[0-9]*'"


class FileStore(Users):
    """What is known of files; their contents lie beside the database."""

    def add_file(
        self, owner: str, name: str, size: int, md5: str, sha512: str, type_id: int, now_us: int
    ) -> StoredFile:
        """Record an upload under a new id."""
        with self._writing() as database:
            while True:
                file = StoredFile(new_id(6), name, size, md5, sha512, type_id, now_us, owner)
                added = database.execute(
                    f"INSERT OR IGNORE INTO files({FILE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (file.id, name, size, md5, sha512, type_id, now_us, owner),
                )
                if added.rowcount:
                    return file

    def keep_output(self, file: StoredFile, viewer: User) -> None:
        """Record the content of a run's output under its id, for a job of the viewer, who may see it from now on."""
        with self._writing() as database:
            database.execute(
                f"INSERT OR IGNORE INTO files({FILE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    file.id,
                    file.name,
                    file.size,
                    file.md5,
                    file.sha512,
                    file.type_id,
                    file.uploaded_us,
                    file.owner,
                ),
            )
            if file.owner != viewer.id:
                database.execute("INSERT OR IGNORE INTO file_shares VALUES (?, ?)", (file.id, viewer.email))

    def files_by_id(self, ids: Iterable[str]) -> dict[str, StoredFile]:
        """The uploads and kept outputs that exist among the ids."""
        database = self._database()
        found = {}
        for file_id in set(ids):
            row = database.execute(f"SELECT {FILE_COLUMNS} FROM files WHERE id = ?", (file_id,)).fetchone()
            if row:
                found[file_id] = StoredFile(*row)
        return found

    def may_see_file(self, viewer: User, file: StoredFile) -> bool:
        """Whether the viewer owns the file or was shown a job that uses it."""
        if file.owner == viewer.id:
            return True
        rows = self._database().execute(
            "SELECT 1 FROM file_shares WHERE file = ? AND email = ?", (file.id, viewer.email)
        )
        return rows.fetchone() is not None

    def change_file(self, file_id: str, name: str, type_id: int) -> None:
        """Give an upload another name and type."""
        with self._writing() as database:
            database.execute("UPDATE files SET name = ?, type_id = ? WHERE id = ?", (name, type_id, file_id))

    def delete_file(self, file_id: str) -> None:
        """Forget an upload; its content is freed by `freeing`, unless others hold the same."""
        with self._writing() as database:
            database.execute("DELETE FROM files WHERE id = ?", (file_id,))
            database.execute("DELETE FROM file_shares WHERE file = ?", (file_id,))

    def file_page(self, viewer: User, search: str, offset: int, limit: int) -> tuple[int, list[StoredFile]]:
        """How many of the viewer's uploads have `search` in their name, and a page of them, newest first."""
        database = self._database()
        where, values = f"owner = ? AND {IS_UPLOAD}", [viewer.id]
        if search:
            where += " AND instr(lower(name), lower(?)) > 0"
            values.append(search)
        count = database.execute(f"SELECT count(*) FROM files WHERE {where}", values).fetchone()[0]
        rows = database.execute(
            f"SELECT {FILE_COLUMNS} FROM files WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return count, [StoredFile(*row) for row in rows]

    def unheld(self, sha512s: Iterable[str]) -> list[str]:
        """Those of the contents that no file and no job's table has."""
        query = (
            "SELECT 1 FROM files WHERE sha512 = ? UNION ALL SELECT 1 FROM jobs WHERE table_sha512 = ? LIMIT 1"
        )
        database = self._database()
        return [each for each in sha512s if database.execute(query, (each, each)).fetchone() is None]

    # Parameter tables

    def forget_tables(self, sha512s: Iterable[str]) -> None:
        """Drop the indexes of tables whose contents nothing has."""
        unheld = self.unheld(sha512s)
        if unheld:
            with self._writing() as database:
                database.executemany("DELETE FROM tables WHERE sha512 = ?", [(each,) for each in unheld])

    def add_table(self, sha512: str, index: TableIndex) -> None:
        """Keep the index of a parameter table."""
        with self._writing() as database:
            database.execute(
                "INSERT OR IGNORE INTO tables VALUES (?, ?, ?, ?)",
                (sha512, json.dumps(index.names), index.count, index.offsets),
            )

    def table(self, sha512: str) -> TableIndex | None:
        """The index of a parameter table, if it was made."""
        row = self._database().execute(
            "SELECT names, count, offsets FROM tables WHERE sha512 = ?", (sha512,)
        ).fetchone()  # fmt: skip
        return TableIndex(tuple(json.loads(row[0])), row[1], row[2]) if row else None
