"""What schemathesis has to be told: of media types it does not know, and of headers that no body says."""

import schemathesis


@schemathesis.serializer("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def workbook(ctx, value):
    """Bytes are sent as they are: hardly ever a workbook, which is refused like any other that is none."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """In a chain of requests a change is one: it says which state it is about, and why."""
    if case.meta is None or case.meta.phase.name.value != "stateful":
        return
    # What was published and removed is still there in the past, which is right, and takes a chain for a fault.
    if case.query:
        case.query.pop("as_of", None)
    changes = case.method in {"PUT", "PATCH", "DELETE"} or case.path.endswith("/publications")
    # A token is revoked whatever it was.
    if changes and not case.path.startswith("/v1/tokens"):
        case.headers["If-Match"] = "*"
        case.headers.pop("If-None-Match", None)
        case.headers["Change-Reason"] = "test"
