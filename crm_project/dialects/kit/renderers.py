"""JSON in which a Decimal is a number, digit by digit: 999999999999.99 stays what it is."""

import re
import secrets
from decimal import Decimal
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

# json.dumps writes a number through a float. A decimal goes out as a string between marks that nobody can guess,
# and the quotes are taken off afterwards.
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
