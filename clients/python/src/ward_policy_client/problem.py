"""What is not a success."""

import json
from email.message import Message
from typing import cast

from .contract import Problem


class ProblemError(Exception):
    """An answer that is not a success. `problem["errors"]` names every broken rule and its place."""

    def __init__(self, problem: Problem) -> None:
        self.status = problem["status"]
        self.problem = problem
        lines = [f"{self.status} {problem['title']}: {problem['detail']}"]
        for error in problem["errors"]:
            place = error["pointer"] or error["parameter"] or error["header"] or ""
            lines.append(f"  {place}: {error['detail']} ({error['code']})")
        super().__init__("\n".join(lines))


def problem_of(status: int, headers: Message, body: str, path: str) -> ProblemError:
    """The problem that an answer is. What stands between the caller and the service may answer otherwise than in JSON."""
    if headers.get_content_type() == "application/problem+json":
        return ProblemError(cast(Problem, json.loads(body)))
    return ProblemError(
        {
            "type": "about:blank",
            "title": "",
            "status": status,
            "detail": body[:4000],
            "instance": path,
            "request_id": headers.get("X-Request-Id", ""),
            "errors": [],
            "more_errors": 0,
        }
    )
