"""Keeps a copy of everything in mirror.db, and goes on for ever: python mirror.py http://127.0.0.1:8080"""

import json
import sqlite3
import sys

from ward_policy_client import WardPolicy

api = WardPolicy(sys.argv[1], attempts=8)
db = sqlite3.connect("mirror.db")
db.execute("create table if not exists things (type text, id text, state text, primary key (type, id))")
db.execute("create table if not exists place (one integer primary key, cursor text)")


def store(type: str, id: str, state: object) -> None:
    text = json.dumps(state, ensure_ascii=False, default=str)
    db.execute("insert or replace into things values (?, ?, ?)", (type, id, text))


(known,) = db.execute("select max(cursor) from place").fetchone()
for step in api.mirror(known):
    with db:
        if step.anew:
            db.execute("delete from things")
        for row in step.rows:
            if row.state is None:
                db.execute("delete from things where type = ? and id = ?", (row.type, row.id))
            else:
                store(row.type, row.id, row.state)
        # They are computed, and a day may turn them: they are asked for at each step, and seldom sent.
        db.execute("delete from things where type = 'evaluation'")
        for evaluation in api.items("/v1/evaluations", limit=1000):
            store("evaluation", f"{evaluation['indicator_id']}/{evaluation['fiscal_year']}", evaluation)
        db.execute("insert or replace into place values (1, ?)", (step.cursor,))
