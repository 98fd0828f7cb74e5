"""Waits until a copy is what the service says: each thing as a snapshot has it, and as many as the lists count."""

import json
import sqlite3
import sys
import time

from ward_policy_client import WardPolicy

Things = dict[tuple[str, str], object]

LISTS = {
    "organization": "/v1/organizations",
    "policy": "/v1/policies",
    "goal": "/v1/goals",
    "budget": "/v1/budgets",
    "indicator": "/v1/indicators",
    "result": "/v1/results",
    "evaluation": "/v1/evaluations",
}


def copied(path: str) -> tuple[Things, str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        (cursor,) = db.execute("select cursor from place").fetchone()
        return {(type, id): json.loads(state) for type, id, state in db.execute("select * from things")}, cursor


def as_copied(state: object) -> object:
    """A copy has decimals as texts."""
    return json.loads(json.dumps(state, default=str))


def difference(api: WardPolicy, things: Things, cursor: str) -> str | None:
    with api.snapshot() as snapshot:
        if snapshot.head["cursor"] != cursor:
            return f"at {cursor}, not at {snapshot.head['cursor']}"
        rows: Things = {(row["type"], row["id"]): as_copied(row["state"]) for row in snapshot.rows}
    for row in api.items("/v1/evaluations"):
        rows["evaluation", f"{row['indicator_id']}/{row['fiscal_year']}"] = as_copied(row)
    for name in rows.keys() | things.keys():
        if rows.get(name) != things.get(name):
            return f"{name}: {things.get(name)}, not {rows.get(name)}"
    for type, path in LISTS.items():
        total = api.get(path, limit=1, include_total=True)["total"]  # type: ignore[call-overload]
        has = sum(name[0] == type for name in things)
        if has != total or total == 0:
            return f"{has} of {total} {type}"
    return None


def main() -> None:
    url, path = sys.argv[1:]
    for _ in range(300):
        try:
            differs = difference(WardPolicy(url), *copied(path))
        except (sqlite3.OperationalError, TypeError) as error:
            differs = f"no copy yet: {error}"
        if differs is None:
            return
        time.sleep(0.2)
    sys.exit(f"{path} is no copy: {differs}")


main()
