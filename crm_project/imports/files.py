"""Uploaded files: received and stored in blocks, in the database that all machines share, read from a local copy."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from django.conf import settings
from django.utils.translation import gettext_noop

from crm_project.batches import in_batches
from crm_project.errors import DomainError
from crm_project.imports.models import Import, ImportChunk

BLOCK = 1024 * 1024
IN_MEMORY = 4 * BLOCK


class FileTooLarge(DomainError):
    code = "too_large"
    template = gettext_noop("A file can have at most %(limit)s MiB.")


@dataclass(frozen=True)
class Upload:
    """A received file. Two uploads are equal if name, size and digest are."""

    name: str
    size: int
    digest: str
    file: IO[bytes] = field(repr=False, compare=False)


def receive(name: str, pieces: Iterable[bytes]) -> Upload:
    """Receive a file; raises FileTooLarge at the first block beyond the limit."""
    digest, size = hashlib.sha256(), 0
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (gone with the upload)
    for piece in pieces:
        size += len(piece)
        if size > settings.IMPORT_MAX_BYTES:
            file.close()
            raise FileTooLarge(params={"limit": settings.IMPORT_MAX_BYTES // BLOCK})
        digest.update(piece)
        file.write(piece)
    return Upload(plain_name(name), size, digest.hexdigest(), file)


def plain_name(name: str) -> str:
    """The last part of a path with slashes or backslashes, without unprintable characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in last if character.isprintable())
    return name.encode("utf-8", "ignore").decode()[:255].strip() or "file"


def pieces_of(file: IO[bytes], size: int = BLOCK) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(size):
        yield piece


def keep(source: Import, upload: Upload) -> None:
    """Store the file in blocks."""
    for number, piece in enumerate(pieces_of(upload.file)):
        ImportChunk.objects.create(source=source, number=number, data=piece)


@contextmanager
def local_copy(source: Import) -> Iterator[IO[bytes]]:
    """The stored file as a seekable file, in memory or, if it is large, on disk."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for (chunk,) in in_batches(source.chunks.order_by("number"), 1):
            file.write(bytes(chunk.data))
        file.seek(0)
        yield file
