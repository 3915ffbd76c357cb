"""A list that spills to disk, so that a write of any size needs a bounded amount of memory."""

import pickle
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, Generic, TypeVar

T = TypeVar("T")
BLOCK = 1_000
# Items in memory. A single request writes far fewer.
IN_MEMORY = 5 * BLOCK


class SpillingList(Generic[T]):
    """Spills its items to an unnamed temporary file, pickled in blocks, once there are more than a few thousand.

    Supports append, len, iteration, slices from the start, and truncation.
    """

    def __init__(self) -> None:
        self._recent: list[T] = []
        self._file: IO[bytes] | None = None
        self._offsets: list[int] = []

    def append(self, item: T) -> None:
        self._recent.append(item)
        if len(self._recent) >= IN_MEMORY:
            self._spill()

    def __len__(self) -> int:
        return len(self._offsets) * BLOCK + len(self._recent)

    def __iter__(self) -> Iterator[T]:
        for offset in self._offsets:
            yield from self._read(offset)
        yield from self._recent

    def __getitem__(self, part: slice) -> list[T]:
        return list(islice(self, part.start, part.stop, part.step))

    def truncate(self, length: int) -> None:
        """Remove all but the first `length` items."""
        while len(self._offsets) * BLOCK > length:
            self._recent = self._read(self._offsets.pop())
        del self._recent[length - len(self._offsets) * BLOCK :]

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed and removed with the list)
        while len(self._recent) >= BLOCK:
            self._offsets.append(self._file.seek(0, 2))
            pickle.dump(self._recent[:BLOCK], self._file, pickle.HIGHEST_PROTOCOL)
            del self._recent[:BLOCK]

    def _read(self, offset: int) -> Any:
        assert self._file is not None
        self._file.seek(offset)
        # Safe to unpickle: this process wrote it, into a file that no other can open.
        return pickle.load(self._file)
