"""The published pages at hand: every finding, compared with what a person found by reading them."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.validation.pages.checks import check
from helpers.validation.pages.drift import compare

PAGES = Path(__file__).resolve().parents[4] / "shared" / "published-pages"

pytestmark = pytest.mark.skipif(
    not PAGES.exists(),
    reason="needs the published pages in ../shared, which are not part of the project",
)

INCLUDE = "access-token-python.md"
OLD = "user-access-token-python.md"
TEAMS = "manage-teams-identity-python.md"

EXPECTED = {
    "access-tokens/access-tokens.md": [
        (INCLUDE, 77, "missing-import"),  # DefaultAzureCredential
        (INCLUDE, 77, "missing-install"),  # azure-identity
        (INCLUDE, 99, "secret-printed"),
        (INCLUDE, 121, "identity-not-deleted"),  # only the one that was stored is deleted
        (INCLUDE, 129, "secret-printed"),
        (INCLUDE, 138, "undefined-name"),  # existingIdentity
    ],
    "access-tokens-2020/includes/user-access-token-python.md": [
        (OLD, 18, "python-version"),
        (OLD, 35, "deprecated-package"),
        (OLD, 50, "deprecated-package"),
        (OLD, 74, "unknown-attribute"),  # identifier
        (OLD, 79, "unknown-name-in-text"),  # issue_token
        (OLD, 79, "unknown-name-in-text"),  # communicationUser
        (OLD, 83, "unknown-attribute"),  # issue_token
        (OLD, 83, "undefined-name"),  # user
        (OLD, 84, "unknown-attribute"),  # strftime of text
        (OLD, 86, "secret-printed"),
        (OLD, 93, "unknown-name-in-text"),  # CommunicationUser
        (OLD, 97, "missing-import"),  # CommunicationUser
        (OLD, 97, "undefined-name"),  # existingIdentity
        (OLD, 98, "unknown-attribute"),  # issue_token
        (OLD, 107, "unknown-attribute"),  # identifier
        (OLD, 116, "unknown-attribute"),  # identifier
        (OLD, 121, "file-name"),  # issue-access-token.py
        (OLD, 124, "file-name"),
    ],
    "access-tokens-ko/user-access-token.md": [
        ("user-access-token.md", 22, "missing-include"),
        (OLD, 23, "python-version"),
        (OLD, 75, "syntax"),  # const … ;
        (OLD, 76, "syntax"),  # var … new … ;
        (OLD, 76, "missing-import"),  # DefaultAzureCredential
        (OLD, 76, "missing-install"),  # azure-identity
        (OLD, 85, "unknown-attribute"),  # identifier
        (OLD, 95, "unknown-attribute"),  # strftime of text
        (OLD, 97, "secret-printed"),
        (OLD, 104, "unknown-name-in-text"),  # create_user_with_token
        (OLD, 108, "identity-not-deleted"),
        (OLD, 108, "unknown-attribute"),  # create_user_with_token
        (OLD, 109, "unknown-attribute"),  # identifier
        (OLD, 111, "unknown-attribute"),  # strftime of text
        (OLD, 114, "secret-printed"),
        (OLD, 123, "missing-import"),  # CommunicationUserIdentifier
        (OLD, 123, "undefined-name"),  # existingIdentity
        (OLD, 133, "unknown-attribute"),  # identifier
        (OLD, 142, "unknown-attribute"),  # identifier
        (OLD, 147, "file-name"),  # issue-access-token.py
        ("user-access-token.md", 49, "output-differs"),  # leaves out “Created …”
        ("user-access-token.md", 49, "output-differs"),  # “for identity with ID”
        ("user-access-token.md", 52, "output-differs"),  # leaves out “Created …”
        ("user-access-token.md", 52, "output-differs"),  # a 'chat' token that is never issued
        ("user-access-token.md", 55, "output-differs"),  # “deleted”, where tokens are revoked
    ],
    "teams-users/includes/manage-teams-identity-python.md": [
        (TEAMS, 18, "python-version"),
        (TEAMS, 66, "wrong-type"),  # scopes as text
        (TEAMS, 87, "missing-import"),  # DefaultAzureCredential
        (TEAMS, 87, "missing-install"),  # azure-identity
        (TEAMS, 92, "unknown-name-in-text"),  # ExchangeTeamsTokenAsync
        (TEAMS, 95, "unknown-attribute"),  # exchange_user_token
        (TEAMS, 95, "unknown-attribute"),  # access_token of a dict
        (TEAMS, 96, "secret-printed"),
    ],
    "concepts/identity-model.md": [("identity-model.md", 126, "missing-include")],
}


@pytest.mark.parametrize("page", EXPECTED)
def test_the_findings_on_a_published_page_are_those_that_a_person_found(page: str) -> None:
    found = [(one.file.name, one.line, one.rule) for one in check(PAGES / page).findings]

    assert found == EXPECTED[page]


def test_every_published_page_has_an_expectation() -> None:
    # Included pages are read through the page that includes them.
    pages = {path.relative_to(PAGES).as_posix() for path in PAGES.rglob("*.md")} - {"README.md"}
    read_through = {
        "access-tokens/includes/access-tokens/access-token-python.md",
        "access-tokens-ko/includes/user-access-token-python.md",
    }

    assert pages == set(EXPECTED) | read_through


def test_the_lessons_agree_with_the_current_page() -> None:
    drift = compare(PAGES / "access-tokens/access-tokens.md")

    assert drift.is_current
    assert drift.covered == 10
    assert [one.line for one in drift.differences] == [99, 129, 138]


def test_the_lessons_have_drifted_from_the_korean_page() -> None:
    drift = compare(PAGES / "access-tokens-ko/user-access-token.md")

    assert not drift.is_current
    assert [(one.anchor, one.closest_step) for one in drift.renamed] == [
        ("issue-access-tokens", "issue-an-access-token"),
        (
            "create-an-identity-and-issue-an-access-token-within-the-same-request",
            "create-an-identity-and-issue-an-access-token-in-the-same-request",
        ),
        ("refresh-access-tokens", "refresh-an-access-token"),
    ]
    assert [one.name for one in drift.unpublished] == ["set-a-custom-token-expiration-time"]
    assert {one.right for one in drift.differences} == {"lesson"}
