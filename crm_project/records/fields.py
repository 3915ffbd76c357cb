"""Model fields: exact money on both databases, and a foreign key whose constraint is `SameOrganization`."""

from decimal import Decimal
from typing import Any

from django.db import models

from crm_project.generics import AnyDecimalField

SCALE, RATE_SCALE = 4, 10
# The largest integer of SQLite.
LARGEST = 2**63 - 1


class MoneyField(AnyDecimalField):
    """numeric(16,4); on SQLite, which has no exact decimals, an integer of ten-thousandths, so that sums are exact."""

    digits, scale = 16, SCALE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": self.digits, "decimal_places": self.scale})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "MoneyField"  # SQLite's converter of DecimalField rounds to 15 digits

    def db_type(self, connection: Any) -> str:
        return "bigint" if connection.vendor == "sqlite" else f"numeric({self.digits}, {self.scale})"

    def cast_db_type(self, connection: Any) -> str:
        # A sum may have more digits than an amount.
        return "bigint" if connection.vendor == "sqlite" else "numeric"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """A bound beyond what SQLite can hold is compared as its largest integer, which is beyond every amount."""
        stored = self._stored(value, connection)
        return max(-LARGEST, min(stored, LARGEST)) if isinstance(stored, int) else stored

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return value if hasattr(value, "as_sql") else self._stored(value, connection)

    def _stored(self, value: Any, connection: Any) -> Any:
        value = self.to_python(value) if not hasattr(value, "resolve_expression") else value
        if isinstance(value, Decimal) and connection.vendor == "sqlite":
            return int(value.scaleb(self.scale).to_integral_exact())
        return value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        if value is None or connection.vendor != "sqlite":
            stored: Decimal | None = value
            return stored
        # A quotient or a weighted sum may come back as a double of ten-thousandths.
        return Decimal(round(value)).scaleb(-self.scale)


class RateField(MoneyField):
    """numeric(18,10), an exchange rate; on SQLite an integer of its last decimal."""

    digits, scale = 18, RATE_SCALE


class RowForeignKey(models.ForeignKey[Any, Any]):
    """A foreign key within one organization: the table's `SameOrganization` constraint is its database constraint."""

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        super().__init__(
            to, on_delete, **{"related_name": "+", "db_index": False, **kwargs, "db_constraint": False}
        )

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "db_index": bool(getattr(self, "db_index", False))}
