"""Nothing is recorded."""


class RecordingProcessor:
    pass


class ReplayableTest:
    FILTER_HEADERS: list[str] = []  # noqa: RUF012
