"""What schemathesis has to be told of media types it does not know."""

import schemathesis


@schemathesis.serializer("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def workbook(ctx, value):
    """Bytes are sent as they are: hardly ever a workbook, which is refused like any other that is none."""
    return value if isinstance(value, bytes) else str(value).encode()
