"""A list that keeps its items on disk once there are many, so that a big write is no bigger in memory."""

import pickle
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, Generic, TypeVar

T = TypeVar("T")
BLOCK = 1_000
# So many stay in memory: what one request writes never comes near it.
KEPT = 5 * BLOCK


class SpillingList(Generic[T]):
    """Append, count, read from the start, and cut off the end."""

    def __init__(self) -> None:
        self._recent: list[T] = []
        self._file: IO[bytes] | None = None
        self._places: list[int] = []

    def append(self, item: T) -> None:
        self._recent.append(item)
        if len(self._recent) >= KEPT:
            self._put_away()

    def __len__(self) -> int:
        return len(self._places) * BLOCK + len(self._recent)

    def __iter__(self) -> Iterator[T]:
        for place in self._places:
            yield from self._read(place)
        yield from self._recent

    def __getitem__(self, part: slice) -> list[T]:
        return list(islice(self, part.start, part.stop, part.step))

    def truncate(self, length: int) -> None:
        """Forget what was appended after the first `length` items."""
        while len(self._places) * BLOCK > length:
            self._recent = self._read(self._places.pop())
        del self._recent[length - len(self._places) * BLOCK :]

    def _put_away(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed, and gone, with the spool)
        while len(self._recent) >= BLOCK:
            self._places.append(self._file.seek(0, 2))
            pickle.dump(self._recent[:BLOCK], self._file, pickle.HIGHEST_PROTOCOL)
            del self._recent[:BLOCK]

    def _read(self, place: int) -> Any:
        assert self._file is not None
        self._file.seek(place)
        # Written by this process into a file without a name.
        return pickle.load(self._file)
