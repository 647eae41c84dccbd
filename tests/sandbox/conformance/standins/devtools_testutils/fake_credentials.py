"""Imported by the tests, used in playback only."""


class FakeTokenCredential:
    pass
