"""JSON in which a Decimal is a number without loss of digits."""

import re
import secrets
from decimal import Decimal
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

# The C encoder of json writes numbers with float.__repr__ or int.__repr__ only, and the pure Python one is private and
# twice as slow. So a decimal is encoded as a string between random marks, and the quotes are removed afterwards.
MARK = secrets.token_hex(16)
MARKED = re.compile(f'"{MARK}(-?[0-9.]+){MARK}"'.encode())


class ExactEncoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        if isinstance(obj, Decimal):
            return f"{MARK}{obj.normalize():f}{MARK}"
        return super().default(obj)


class ExactJSONRenderer(JSONRenderer):
    encoder_class = ExactEncoder

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return MARKED.sub(rb"\1", super().render(data, *args, **kwargs))
