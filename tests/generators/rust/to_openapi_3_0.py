"""Says in OpenAPI 3.0 what a document says in OpenAPI 3.1, for progenitor: `to_openapi_3_0.py DOCUMENT > DOCUMENT_3_0`.

What it loses is in README.md.
"""

import json
import sys
from typing import Any

# The bodies that progenitor can send.
SENT = ("application/json", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain")
# Of JSON Schema, and not of OpenAPI 3.0.
UNKNOWN = ("const", "contentEncoding", "contentMediaType", "examples", "patternProperties", "propertyNames", "$comment")
NULL = {"type": "null"}


def schema(said: Any) -> Any:
    """A schema, and those in it."""
    if not isinstance(said, dict):
        return said
    if "$ref" in said:
        return {"$ref": said["$ref"]}
    is_ = {key: value for key, value in said.items() if key not in UNKNOWN}
    if "const" in said:
        is_["enum"] = [said["const"]]
    types = said.get("type")
    if isinstance(types, list):
        known = [name for name in types if name != "null"]
        is_.pop("type")
        if len(known) == 1:
            is_["type"] = known[0]
        if len(known) < len(types):
            is_["nullable"] = True
            if "enum" in is_:
                is_["enum"] = [code for code in is_["enum"] if code is not None]
    for bound in ("exclusiveMinimum", "exclusiveMaximum"):
        if isinstance(said.get(bound), (int, float)) and not isinstance(said[bound], bool):
            is_[bound.replace("exclusiveM", "m")] = said[bound]
            is_[bound] = True
    for several in ("oneOf", "anyOf", "allOf"):
        if several in said:
            others = [schema(one) for one in said[several] if one != NULL]
            if len(others) < len(said[several]):
                is_["nullable"] = True
            is_.pop(several)
            # One that may be null is itself; that it is a choice of one says nothing.
            is_["allOf" if len(others) == 1 else several] = others
    if "properties" in said:
        is_["properties"] = {name: part(one) for name, one in said["properties"].items()}
    for below in ("items", "additionalProperties", "not"):
        if below in said:
            is_[below] = part(said[below])
    return is_


def part(said: Any) -> Any:
    """A schema without a name. Limits of a text would make it a type, named as another schema may be."""
    is_ = schema(said)
    if isinstance(is_, dict) and is_.get("type") == "string":
        for limit in ("minLength", "maxLength", "pattern"):
            is_.pop(limit, None)
    return is_


def content(said: dict[str, Any], most: int | None = None) -> dict[str, Any]:
    """The bodies by media type."""
    bodies = {}
    for media_type, body in list(said.items())[:most]:
        bodies[media_type] = {"schema": schema(body["schema"])} if "schema" in body else {}
    return bodies


def parameter(said: dict[str, Any]) -> dict[str, Any]:
    """A parameter or a header."""
    return {**said, "schema": part(said["schema"])} if "schema" in said else said


def response(said: dict[str, Any]) -> dict[str, Any]:
    """An answer, without links."""
    if "$ref" in said:
        return said
    is_ = {"description": said["description"]}
    if "headers" in said:
        is_["headers"] = {name: parameter(header) for name, header in said["headers"].items()}
    if "content" in said:
        is_["content"] = content(said["content"], 1)
    return is_


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    parts = document["components"]
    document["openapi"] = "3.0.3"
    document["info"]["license"].pop("identifier", None)
    parts["schemas"] = {name: schema(one) for name, one in parts["schemas"].items()}
    for kind, convert in (("parameters", parameter), ("headers", parameter), ("responses", response)):
        if kind in parts:
            parts[kind] = {name: convert(one) for name, one in parts[kind].items()}
    for kind in ("examples", "links", "pathItems"):
        parts.pop(kind, None)

    def body(said: dict[str, Any]) -> Any:
        name = said.get("$ref", "").rsplit("/", 1)[-1]
        return (parts["responses"][name] if name else said).get("content")

    def is_sent(operation: dict[str, Any]) -> bool:
        return all(media_type in SENT for media_type in operation.get("requestBody", {}).get("content", {}))

    for path, item in document["paths"].items():
        item = document["paths"][path] = {method: it for method, it in item.items() if is_sent(it)}
        for operation in item.values():
            operation["parameters"] = [parameter(one) for one in operation.get("parameters", [])]
            if "content" in operation.get("requestBody", {}):
                operation["requestBody"]["content"] = content(operation["requestBody"]["content"])
            responses = {status: response(one) for status, one in operation["responses"].items()}
            # progenitor knows one type of answer and one of error for each operation.
            for wanted in (("2",), ("3", "4", "5")):
                of_kind = {status: one for status, one in responses.items() if status.startswith(wanted)}
                bodies = [body(one) for one in of_kind.values() if body(one)]
                for status, one in of_kind.items():
                    if bodies and body(one) != bodies[-1]:
                        responses.pop(status)
            operation["responses"] = responses
    json.dump(document, sys.stdout, ensure_ascii=False)


main(sys.argv[1])
