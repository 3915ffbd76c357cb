"""A stream as a file to keep."""

from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse

from crm_project.imports.exporting import primed


def download(stream: Iterator[bytes], name: str, media_type: str) -> Any:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(primed(stream), content_type=media_type, headers=headers)
