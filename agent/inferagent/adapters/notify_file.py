"""Messages that wait, and the present episode: notify.json in the state folder, whole or not there."""

import asyncio
import json
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from inferagent.adapters.disk import Disk
from inferagent.adapters.files import is_as_written, why, with_sum, write_whole
from inferagent.model.notice import Book
from inferagent.ports import PortError

_BOOK = TypeAdapter(Book)
NAME, SCHEMA = "notify.json", 1
LARGEST = 8 << 20  # bytes


class NotifyFile:
    """The BookPort. A file that cannot be understood is begun anew, and said."""

    def __init__(self, state: Path) -> None:
        self._path = state / NAME
        self._disk = Disk("the messages")
        self.problem = ""

    def load(self) -> Book:
        self.problem = ""
        try:
            return _decode(self._path.read_bytes())
        except FileNotFoundError:
            return Book()
        except OSError as error:
            self.problem = f"cannot read the messages in {self._path}: {why(error)}"
        except (ValueError, TypeError, KeyError, RecursionError):
            self.problem = f"cannot understand the messages in {self._path}: those that waited are lost"
        return Book()

    async def save(self, book: Book) -> None:
        """Beside the loop: a disk that hangs holds up nobody but the messages."""
        try:
            await asyncio.to_thread(self._disk.do, lambda: self._write(book))
        except OSError as error:
            raise PortError(f"cannot save the messages in {self._path}: {why(error)}") from error

    def _write(self, book: Book) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._path, _encode(book), durable=True)


def _encode(book: Book) -> bytes:
    return with_sum(to_json({"schema": SCHEMA, "book": book}, indent=1))


def _decode(content: bytes) -> Book:
    """ValueError, TypeError, KeyError or RecursionError for what is no book as it was written."""
    if len(content) > LARGEST or not is_as_written(content):
        raise ValueError("it was changed since it was saved")
    return _BOOK.validate_python(json.loads(content)["book"])
