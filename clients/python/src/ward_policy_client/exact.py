"""JSON with exact decimals."""

import json
from decimal import Decimal
from typing import Any

from .values import DECIMALS


def parse(text: str | bytes) -> Any:
    """Reads JSON. Decimals keep the digits that were sent."""
    return json.loads(text, parse_float=Decimal, object_hook=_with_decimals)


def _with_decimals(members: dict[str, Any]) -> dict[str, Any]:
    """A decimal without a fraction is one too. A name that means two things has a member beside it that only one has."""
    for name, beside in DECIMALS.items():
        value = members.get(name)
        if type(value) is int and (beside is None or beside in members):
            members[name] = Decimal(value)
    return members


def dump(value: Any) -> str:
    """Writes JSON. Decimals are written with the digits that they have."""
    match value:
        case Decimal() if value.is_finite():
            return format(value, "f")
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{dump(member)}" for name, member in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(dump, value)) + "]"
        case _:
            return json.dumps(value, allow_nan=False)
