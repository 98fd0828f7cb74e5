"""Makes of the contract what the clients are written over: contracts for the generators of types, and what no generator
of types makes. Arguments: the contract, and a directory for the contracts."""

import json
import keyword
import sys
from pathlib import Path
from typing import Any, Iterator

Json = dict[str, Any]

CLIENTS = Path(__file__).parent
CONTRACT: Json = json.loads(Path(sys.argv[1]).read_text())
SCHEMAS: Json = CONTRACT["components"]["schemas"]
VERSION = json.dumps(CONTRACT["info"]["version"])
HEADER = "Made of the contract by clients/generate.py."


def main() -> None:
    place = Path(sys.argv[2])
    (place / "typescript.json").write_text(json.dumps(with_decimals({"type": "string"})))
    (place / "python.json").write_text(json.dumps(with_decimals({"type": "number", "format": "decimal"})))
    table = json.dumps(decimals(), indent=2)
    (CLIENTS / "typescript/src/values.ts").write_text(
        f"// {HEADER}\n\n"
        f"/** The version of the contract, and of this package. */\nexport const VERSION = {VERSION};\n\n"
        "/** The members that are decimals; a name that means two things, with a member beside it that only one has. */\n"
        f"export const DECIMALS: Readonly<Record<string, string | null>> = {table};\n"
    )
    package = CLIENTS / "python/src/ward_policy_client"
    (package / "values.py").write_text(
        f'"""{HEADER}"""\n\n'
        f"# The version of the contract, and of this package.\nVERSION = {VERSION}\n\n"
        "# The members that are decimals; a name that means two things, with a member beside it that only one has.\n"
        f"DECIMALS: dict[str, str | None] = {table.replace('null', 'None')}\n"
    )
    (package / "calls.py").write_text(calls())


def name_of(reference: str) -> str:
    return reference.rsplit("/", 1)[1]


def resolved(thing: Json) -> Json:
    """What a reference is about."""
    while "$ref" in thing:
        _, section, kind, name = thing["$ref"].split("/")
        thing = CONTRACT[section][kind][name]
    return thing


# ---- Decimals. --------------------------------------------------------------------------------------------------------


def is_decimal(schema: Json) -> bool:
    return any(name_of(one.get("$ref", "/")) == "Decimal" for one in [schema, *schema.get("oneOf", [])])


def is_whole(schema: Json) -> bool:
    return any("integer" in resolved(one).get("type", []) for one in [schema, *schema.get("oneOf", [])])


def with_decimals(decimal: Json) -> Json:
    """The contract with this schema for decimals. What else a body may hold is left out: it is no matter of types."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(one) for one in value]
        if not isinstance(value, dict):
            return value
        if name_of(str(value.get("$ref", "/"))) == "Decimal":
            return {**{key: kept for key, kept in value.items() if key != "$ref"}, **decimal}
        closed = value.get("additionalProperties") is False
        return {key: changed(kept) for key, kept in value.items() if not (closed and key == "additionalProperties")}

    contract: Json = changed(CONTRACT)
    contract["components"]["schemas"]["Decimal"] = {"description": SCHEMAS["Decimal"]["description"], **decimal}
    return contract


def decimals() -> dict[str, str | None]:
    """The names of the members that are decimals. Where a name is a whole number elsewhere, a member that is always beside
    the decimal and never beside the other tells them apart."""
    as_decimals: dict[str, list[set[str]]] = {}
    as_others: dict[str, list[set[str]]] = {}
    for schema in SCHEMAS.values():
        beside, required = set(schema.get("properties", {})), set(schema.get("required", []))
        for name, member in schema.get("properties", {}).items():
            if is_decimal(member):
                as_decimals.setdefault(name, []).append(required)
            elif is_whole(member):
                as_others.setdefault(name, []).append(beside)
    table: dict[str, str | None] = {}
    for name in sorted(as_decimals):
        table[name] = None
        if name in as_others:
            apart = set.intersection(*as_decimals[name]).difference(*as_others[name])
            if not apart:
                sys.exit(f"{name} is a decimal and a whole number, and nothing beside it tells which")
            table[name] = min(apart)
    return table


# ---- Python: each call with the types of its parameters and its answer. -----------------------------------------------


def type_of(schema: Json) -> str:
    """The type of a parameter. Where it is several values it may be one, and where these are any texts, numbers too."""
    if schema.get("type") == "array":
        one = type_of(schema["items"]).replace("str", "str | int")
        return f"{one} | Sequence[{one}]"
    if "enum" in schema:
        return f"Literal{json.dumps(schema['enum'])}"
    if "$ref" in schema:
        target = resolved(schema)
        return f"c.{name_of(schema['$ref'])}" if "enum" in target else type_of(target)
    return {"integer": "int", "boolean": "bool", "string": "str"}[schema["type"]]


def parameters_of(operation: Json) -> Iterator[str]:
    """Those of the path and of the query. A name that Python has for itself gets a `_`; the format is JSON."""
    for one in map(resolved, operation.get("parameters", [])):
        if one["in"] not in ("path", "query") or one["name"] == "format":
            continue
        name = one["name"] + "_" * keyword.iskeyword(one["name"])
        yield f"{name}: {type_of(one['schema'])}" + ("" if one.get("required") else " = ...")


def json_of(thing: Json) -> str | None:
    """The schema of a body or an answer, if it is JSON."""
    for media_type, content in resolved(thing).get("content", {}).items():
        if media_type == "application/json" or media_type.endswith("+json"):
            return name_of(content["schema"]["$ref"])
    return None


def answer_of(operation: Json) -> str | None:
    answers = [json_of(answer) for status, answer in operation["responses"].items() if status in ("200", "201")]
    if not answers:
        return "None"
    return " | ".join(sorted({f"c.{answer}" for answer in answers if answer})) or None


def item_of(answer: str) -> str | None:
    """What is in a list."""
    members = SCHEMAS[answer.removeprefix("c.")].get("properties", {}) if "|" not in answer else {}
    return f"c.{name_of(members['items']['items']['$ref'])}" if {"items", "next_cursor"} <= members.keys() else None


def overload(name: str, arguments: list[str], answer: str) -> str:
    lines = "".join(f"        {argument},\n" for argument in ["self", *arguments])
    return f"    @overload\n    def {name}(\n{lines}    ) -> {answer}: ...\n"


def method(name: str, overloads: list[str], arguments: str, answer: str, words: str, body: str) -> str:
    documented = f'    def {name}({arguments}) -> {answer}:\n        """{words}"""\n        return {body}\n'
    return "\n".join([*overloads, documented])


def calls() -> str:
    get, read, items, write, update = [], [], [], [], []
    conditions = [
        "reason: str | None = None",
        "if_match: str | None = None",
        'if_none_match: Literal["*"] | None = None',
        "idempotency_key: str | None = None",
    ]
    for path, operations in CONTRACT["paths"].items():
        for verb, operation in operations.items():
            answer = answer_of(operation)
            body = json_of(operation["requestBody"]) if "requestBody" in operation else None
            if answer is None or ("requestBody" in operation and body is None):
                continue
            given = list(parameters_of(operation))
            named = ["*", *given] if given else []
            at = f'path: Literal["{path}"]'
            if verb == "get":
                get.append(overload("get", [at, *named], answer))
                read.append(overload("read", [at, *named], f"Tagged[{answer}]"))
                if item := item_of(answer):
                    items.append(overload("items", [at, *named], f"Iterator[{item}]"))
                continue
            sent = [f"body: c.{body}"] if body else []
            write.append(
                overload("write", [f'method: Literal["{verb.upper()}"]', at, "*", *sent, *given, *conditions], answer)
            )
            if verb == "patch":
                current = answer_of(operations["get"])
                change = f"change: Callable[[{current}], c.{body} | None]"
                update.append(overload("update", [at, change, "*", *given, "reason: str | None = None"], answer))
    return f'''"""{HEADER}"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, overload

from . import contract as c
from .transport import Tagged, Transport


class Calls(Transport):
    """Every call whose answer is JSON, with the types of what it takes and gives."""

{method("get", get, "self, path: str, **parameters: Any", "Any",
        "Reads something. What is kept and still the newest is not sent again.",
        "self._read(path, parameters).value")}
{method("read", read, "self, path: str, **parameters: Any", "Any",
        "Reads something with the tag of its state, by which it can be changed.",
        "self._read(path, parameters)")}
{method("items", items, "self, path: str, **parameters: Any", "Iterator[Any]",
        "Everything in a list, page by page. The place is kept whatever is written in the meantime.",
        "self._items(path, parameters)")}
{method("write", write, "self, method: str, path: str, **given: Any", "Any",
        "Writes something, and gives what is answered.",
        "self._write(method, path, given)")}
{method("update", update,
        "self, path: str, change: Callable[[Any], Any], *, reason: str | None = None, **parameters: Any", "Any",
        """Changes something: `change` gets it as it is, and gives the members that become others, or None for no change.
        Where somebody else changes it in between, it is read again, and `change` is called again. Gives it as it is then.
        """, "self._update(path, change, reason, parameters)")}'''


main()
