"""Against a running service: URL, TOKEN of who may do everything, GONE a cursor of a history that is no more."""

import os
import shelve
import tempfile
import unittest
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from ward_policy_client import Kept, MemoryStore, ProblemError, Store, WardPolicy
from ward_policy_client.contract import IndicatorResult, Organization, OrganizationInput, OrganizationPatch, ResultPatch

URL = os.environ["URL"]
TOKEN = os.environ["TOKEN"]
REASON = "試験"

api = WardPolicy(URL)
staff = WardPolicy(URL, token=TOKEN, language="en")


class Statuses(urllib.request.BaseHandler):
    """What was answered to a client."""

    handler_order = 1

    def __init__(self) -> None:
        self.seen: list[int] = []

    def http_response(self, request: urllib.request.Request, response: Any) -> Any:
        self.seen.append(response.status)
        return response


class Nothing:
    """A store that keeps nothing."""

    def get(self, url: str, /) -> Kept | None:
        return None

    def __setitem__(self, url: str, kept: Kept, /) -> None:
        pass


def counted(store: Store | None = None, attempts: int = 5) -> tuple[WardPolicy, list[int]]:
    statuses = Statuses()
    return WardPolicy(URL, store=store, attempts=attempts, handlers=(statuses,)), statuses.seen


def bureau(slug: str) -> OrganizationInput:
    return {"slug": slug, "kind": "bureau", "name": slug, "display_order": 9000}


def results() -> list[str]:
    """The indicators of the sample whose result has a value."""
    rows = api.items("/v1/results", organization="nishi", policy_year=2024)
    return [row["indicator_id"] for row in rows if row["value"] is not None]


def store_result(indicator: str, patch: ResultPatch, by: WardPolicy = staff) -> IndicatorResult:
    path: Literal["/v1/indicators/{id}/results/{fiscal_year}"] = "/v1/indicators/{id}/results/{fiscal_year}"
    return by.update(path, lambda _: patch, id=indicator, fiscal_year=2024, reason=REASON)


def read_result(indicator: str) -> IndicatorResult:
    return api.get("/v1/indicators/{id}/results/{fiscal_year}", id=indicator, fiscal_year=2024)


def rename(organization: str, change: Callable[[Organization], OrganizationPatch]) -> Organization:
    return staff.update("/v1/organizations/{organization}", change, organization=organization, reason=REASON)


class Reading(unittest.TestCase):
    def test_a_list_is_read_to_its_end_each_thing_once(self) -> None:
        total = api.get("/v1/evaluations", include_total=True, limit=1)["total"]
        rows = [row["indicator_id"] for row in api.items("/v1/evaluations", limit=3)]
        self.assertEqual(len(set(rows)), len(rows))
        self.assertEqual(len(rows), total)
        self.assertGreater(len(rows), 3)

    def test_a_list_that_changes_while_it_is_read_keeps_its_place(self) -> None:
        for slug in ("yy-a", "yy-b", "yy-d", "yy-e", "yy-f"):
            staff.write("POST", "/v1/organizations", body=bureau(slug))
        seen = []
        for organization in staff.items("/v1/organizations", limit=2, sort="slug", kind="bureau"):
            seen.append(organization["slug"])
            if organization["slug"] != "yy-b":
                continue
            # What was read goes, as do the place itself and what would come next; something comes before, something after.
            for slug in ("yy-a", "yy-b", "yy-d"):
                at: Literal["/v1/organizations/{organization}"] = "/v1/organizations/{organization}"
                staff.write("DELETE", at, organization=slug, if_match="*", reason=REASON)
            for slug in ("yy-0", "yy-c"):
                staff.write("POST", "/v1/organizations", body=bureau(slug))
        ours = [slug for slug in seen if slug.startswith("yy-")]
        self.assertEqual(ours, ["yy-a", "yy-b", "yy-c", "yy-e", "yy-f"])

    def test_what_has_not_changed_comes_from_the_store(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            with shelve.open(str(Path(place) / "kept")) as kept:
                client, statuses = counted(kept)
                first = client.get("/v1/organizations/{organization}", organization="kita")
                name, name_en = first["name"], first["name_en"]
                first["name"] = "somebody changes what was given"
                self.assertEqual(client.get("/v1/organizations/{organization}", organization="kita")["name"], name)
            # After a restart.
            with shelve.open(str(Path(place) / "kept")) as kept:
                client, later = counted(kept)
                self.assertEqual(client.get("/v1/organizations/{organization}", organization="kita")["name"], name)
                rename("kita", lambda it: {"name_en": f"{it['name_en']}!"})
                now = client.get("/v1/organizations/{organization}", organization="kita")
                self.assertEqual(now["name_en"], f"{name_en}!")
                self.assertEqual(len(kept), 1)
        # Not counting when to come back was said.
        self.assertEqual([[it for it in seen if it not in (429, 503)] for seen in (statuses, later)], [[200, 304], [304, 200]])

    def test_what_is_not_to_be_kept_is_not_kept(self) -> None:
        kept: dict[str, Kept] = {}
        tagged = WardPolicy(URL, token=TOKEN, store=kept).read("/v1/me")
        self.assertNotEqual(tagged.etag, "")
        self.assertEqual(kept, {})

    def test_the_store_in_memory_lets_the_oldest_go(self) -> None:
        store = MemoryStore(2)
        for name in "abac":
            store[name] = Kept(name, "")
        self.assertEqual([store.get(name) for name in "abc"], [Kept("a", ""), None, Kept("c", "")])


class Decimals(unittest.TestCase):
    def test_decimals_have_the_digits_that_were_sent(self) -> None:
        indicator = results()[0]
        for text in ("81.20", "0.1", "100", "999999.123456789", "-0.50", "999999999999999", "1E+2"):
            value = Decimal(text)
            stored = store_result(indicator, {"value": value, "text": text})["value"]
            for now in (stored, read_result(indicator)["value"]):
                self.assertIsInstance(now, Decimal)
                self.assertEqual(str(now), format(value, "f"))
        self.assertNotEqual(str(float("81.20")), "81.20")
        # The same in what has no types, and whole numbers stay whole, also under a name that decimals have elsewhere.
        with api.snapshot() as snapshot:
            states = [row["state"] for row in snapshot.rows if row["type"] == "result"]
        value, year = next((it["value"], it["fiscal_year"]) for it in states if it["indicator_id"] == indicator)
        self.assertEqual((type(value), value, type(year)), (Decimal, 100, int))
        total = api.get("/v1/budgets/summary", organization="nishi")["items"][0]["sum"]
        self.assertEqual((type(total["stated"]), type(total["amount_yen"])), (int, int))
        for nonsense in ("NaN", "Infinity"):
            with self.assertRaises((ValueError, TypeError)):
                store_result(indicator, {"value": Decimal(nonsense)})


class Problems(unittest.TestCase):
    def test_what_is_refused_names_every_broken_rule_and_its_place(self) -> None:
        body: OrganizationInput = {**bureau("yy-x"), "slug": "Not a slug", "name": "", "display_order": -1}
        with self.assertRaises(ProblemError) as caught:
            staff.write("POST", "/v1/organizations", body=body)
        problem = caught.exception.problem
        self.assertEqual((caught.exception.status, problem["type"]), (422, "/problems/invalid"))
        self.assertEqual(
            sorted(error["pointer"] or "" for error in problem["errors"]), ["/display_order", "/name", "/slug"]
        )
        self.assertIn("/display_order: ", str(caught.exception))
        with self.assertRaises(ProblemError) as caught:
            api.get("/v1/evaluations", outcome="acheived")  # type: ignore[call-overload]
        error = caught.exception.problem["errors"][0]
        self.assertEqual((error["parameter"], error["suggestion"]), ("outcome", "achieved"))

    def test_what_is_not_json_is_a_problem_too(self) -> None:
        with self.assertRaises(ProblemError) as caught:
            WardPolicy(URL + "/v1/policies/nishi/2024/form?").get("/v1/me")
        self.assertEqual(caught.exception.status, 400)


class Writing(unittest.TestCase):
    def test_a_change_is_tried_again_where_somebody_else_changes_the_thing_in_between(self) -> None:
        indicator = results()[1]
        other = WardPolicy(URL, token=TOKEN)
        seen = []

        def change(current: IndicatorResult) -> ResultPatch:
            seen.append(current["comment"])
            if len(seen) == 1:
                store_result(indicator, {"comment": "別の人"}, other)
            return {"comment": f"{current['comment']}と私"}

        stored = staff.update(
            "/v1/indicators/{id}/results/{fiscal_year}", change, id=indicator, fiscal_year=2024, reason=REASON
        )
        self.assertEqual((len(seen), seen[1], stored["comment"]), (2, "別の人", "別の人と私"))

    def test_a_change_is_given_up_where_there_is_always_somebody_else(self) -> None:
        indicator = results()[2]
        patient = WardPolicy(URL, token=TOKEN, attempts=3)
        calls = 0

        def change(_: IndicatorResult) -> ResultPatch:
            nonlocal calls
            calls += 1
            store_result(indicator, {"comment": str(calls)})
            return {"comment": "never"}

        path: Literal["/v1/indicators/{id}/results/{fiscal_year}"] = "/v1/indicators/{id}/results/{fiscal_year}"
        with self.assertRaises(ProblemError) as caught:
            patient.update(path, change, id=indicator, fiscal_year=2024, reason=REASON)
        self.assertEqual((caught.exception.status, calls), (412, 3))
        untouched = patient.update(path, lambda _: None, id=indicator, fiscal_year=2024)
        self.assertEqual(untouched["comment"], "3")

    def test_a_write_under_a_key_is_made_once(self) -> None:
        key = str(uuid.uuid4())
        first = staff.write("POST", "/v1/organizations", body=bureau("yy-key"), idempotency_key=key)
        self.assertEqual(staff.write("POST", "/v1/organizations", body=bureau("yy-key"), idempotency_key=key), first)

    def test_a_former_name_leads_to_what_it_named(self) -> None:
        staff.write("POST", "/v1/organizations", body=bureau("yy-former"))
        rename("yy-former", lambda _: {"slug": "yy-present"})
        stored = rename("yy-former", lambda _: {"name": "今の名"})
        self.assertEqual((stored["slug"], stored["name"]), ("yy-present", "今の名"))


class Following(unittest.TestCase):
    def test_changes_come_in_their_order_until_there_are_none(self) -> None:
        cursor = api.get("/v1/changes/head")["cursor"]
        rename("abeno", lambda _: {"name_en": "Un"})
        rename("abeno", lambda _: {"name_en": "Deux"})
        pages = api.changes(cursor, wait=0, limit=1, organization="abeno")
        names = [(change["after"] or {})["name_en"] for page in pages for change in page["items"]]
        self.assertEqual(names, ["Un", "Deux"])

    def test_a_cursor_of_a_history_that_is_no_more_is_told_and_a_copy_begins_anew(self) -> None:
        gone = os.environ["GONE"]
        with self.assertRaises(ProblemError) as caught:
            list(api.changes(gone, wait=0))
        self.assertEqual((caught.exception.status, caught.exception.problem["type"]), (410, "/problems/gone"))
        steps = [(step.anew, len(list(step.rows))) for step in api.mirror(gone, wait=0)]
        self.assertEqual([anew for anew, _ in steps].index(True), 0)
        self.assertEqual(sum(anew for anew, _ in steps), 1)
        self.assertGreater(steps[0][1], 50)

    def test_a_snapshot_that_is_not_read_to_its_end_is_let_go(self) -> None:
        # Two at a time are served.
        for _ in range(4):
            for step in counted(attempts=1)[0].mirror(None):
                self.assertTrue(step.anew)
                break


class Busy(unittest.TestCase):
    def ask(self, client: WardPolicy) -> str:
        return client.get("/v1/organizations/{organization}", organization="minato")["slug"]

    def test_a_busy_service_is_asked_again_when_it_says(self) -> None:
        for said, times in ((429, 80), (503, 12)):
            client, statuses = counted(Nothing(), attempts=30)
            rounds = 0
            with self.subTest(said=said), ThreadPoolExecutor(16) as pool:
                while said not in statuses:
                    self.assertLess(rounds, 50, f"nobody was told {said}")
                    answers = list(pool.map(lambda _: self.ask(client), range(times)))
                    self.assertEqual(answers, ["minato"] * times)
                    rounds += 1
                self.assertEqual(statuses.count(200), rounds * times)

    def test_attempts_have_an_end(self) -> None:
        client, statuses = counted(Nothing(), attempts=1)

        def status(_: int) -> int:
            try:
                self.ask(client)
            except ProblemError as problem:
                return problem.status
            return 200

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(status, range(120)))
        self.assertLessEqual({200}, set(answers))
        self.assertLessEqual(set(answers) - {200}, {429, 503})
        self.assertGreater(len(set(answers)), 1)
        self.assertEqual(sorted(answers), sorted(statuses))


if __name__ == "__main__":
    unittest.main()
