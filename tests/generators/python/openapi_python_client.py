"""Works with the client of openapi-python-client: reads and changes what the service has, and checks what it says."""

import os
from http import HTTPStatus
from io import BytesIO
from urllib.parse import quote

from ward_policy import AuthenticatedClient
from ward_policy.api.evaluations import list_evaluations
from ward_policy.api.imports import import_results
from ward_policy.api.policies import read_policy_tree
from ward_policy.api.results import read_result, replace_result
from ward_policy.models import (
    EvaluationRow,
    EvaluationRowPage,
    ImportReport,
    IndicatorResult,
    ObservationStatus,
    Outcome,
    PolicyTree,
    Problem,
    ResultInput,
    ValueStatus,
)
from ward_policy.types import UNSET, File

REASON = quote("試験")


def changed(value: float) -> float:
    """A value that is another one."""
    return round(value + 0.1, 1)


def main() -> None:
    client = AuthenticatedClient(base_url=os.environ["URL"], token=os.environ["TOKEN"])

    # All evaluations, page by page.
    rows: list[EvaluationRow] = []
    cursor: str | None = None
    while True:
        page = list_evaluations.sync(client=client, limit=4, include_total=True, cursor=cursor or UNSET)
        assert isinstance(page, EvaluationRowPage), page
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert 4 < len(rows) == page.total, f"{len(rows)} of {page.total} evaluations"
    assert Outcome.ACHIEVED in [row.outcome for row in rows]

    # A policy with everything below it.
    tree = read_policy_tree.sync("nishi", 2024, client=client)
    assert isinstance(tree, PolicyTree), tree
    indicators = [indicator for goal in tree.goals for indicator in goal.indicators]
    assert len(indicators) == len(rows)
    indicator = next(it.id for it in indicators if it.results and it.results[0].value is not None)

    # A result, as long as nobody has changed it.
    read = read_result.sync_detailed(indicator, 2024, client=client)
    assert isinstance(read.parsed, IndicatorResult) and read.parsed.value is not None
    etag, value = read.headers["etag"], changed(read.parsed.value)
    body = ResultInput(
        fiscal_year=2024,
        value=value,
        value_status=ValueStatus.REPORTED,
        observation_status=ObservationStatus.FINAL,
    )
    stored = replace_result.sync_detailed(
        indicator, 2024, client=client, body=body, if_match=etag, change_reason=REASON
    )
    assert isinstance(stored.parsed, IndicatorResult), stored.parsed
    assert stored.parsed.value == value and stored.headers["etag"] != etag
    late = replace_result.sync_detailed(indicator, 2024, client=client, body=body, if_match=etag, change_reason=REASON)
    assert late.status_code == HTTPStatus.PRECONDITION_FAILED and isinstance(late.parsed, Problem)

    # A table as CSV.
    table = f"指標ID,年度,実績値\r\n{indicator},2024,{changed(value)}\r\n"
    report = import_results.sync(client=client, body=File(BytesIO(table.encode())), change_reason=REASON)
    assert isinstance(report, ImportReport), report
    assert (report.format_.value, report.stored, report.changed) == ("csv", True, 1)


main()
