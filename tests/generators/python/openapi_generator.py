"""Works with the client that openapi-generator makes: reads and changes what the service has, and checks what it says."""

import os
from urllib.parse import quote

from ward_policy import (
    ApiClient,
    ApiException,
    Configuration,
    EvaluationRow,
    EvaluationsApi,
    ImportsApi,
    Outcome,
    PoliciesApi,
    ResultInput,
    ResultsApi,
)
from ward_policy.models.observation_status import ObservationStatus
from ward_policy.models.value_status import ValueStatus

REASON = quote("試験")


def changed(value: float) -> float:
    """A value that is another one."""
    return round(value + 0.1, 1)


def main() -> None:
    configuration = Configuration(host=os.environ["URL"], access_token=os.environ["TOKEN"])
    with ApiClient(configuration) as client:
        work(client)


def work(client: ApiClient) -> None:
    # All evaluations, page by page.
    evaluations = EvaluationsApi(client)
    rows: list[EvaluationRow] = []
    page = evaluations.list_evaluations(limit=4, include_total=True)
    rows += page.items
    while page.next_cursor is not None:
        page = evaluations.list_evaluations(limit=4, include_total=True, cursor=page.next_cursor)
        rows += page.items
    assert 4 < len(rows) == page.total, f"{len(rows)} of {page.total} evaluations"
    assert Outcome.ACHIEVED in [row.outcome for row in rows]

    # A policy with everything below it.
    tree = PoliciesApi(client).read_policy_tree("nishi", 2024)
    indicators = [indicator for goal in tree.goals for indicator in goal.indicators]
    assert len(indicators) == len(rows)
    indicator = next(it.id for it in indicators if it.results and it.results[0].value is not None)

    # A result, as long as nobody has changed it.
    results = ResultsApi(client)
    read = results.read_result_with_http_info(indicator, 2024)
    assert read.headers is not None and read.data.value is not None
    etag, value = read.headers["etag"], changed(read.data.value)
    body = ResultInput(
        fiscal_year=2024,
        value=value,
        value_status=ValueStatus.REPORTED,
        observation_status=ObservationStatus.FINAL,
    )
    stored = results.replace_result_with_http_info(indicator, 2024, body, if_match=etag, change_reason=REASON)
    assert stored.headers is not None
    assert stored.data.value == value and stored.headers["etag"] != etag
    try:
        results.replace_result(indicator, 2024, body, if_match=etag, change_reason=REASON)
    except ApiException as problem:
        assert problem.status == 412
    else:
        raise AssertionError("a tag that does not hold any more was taken")

    # A table as CSV.
    table = f"指標ID,年度,実績値\r\n{indicator},2024,{changed(value)}\r\n"
    report = ImportsApi(client).import_results(table.encode(), change_reason=REASON)
    assert (report.format.value, report.stored, report.changed) == ("csv", True, 1)


main()
