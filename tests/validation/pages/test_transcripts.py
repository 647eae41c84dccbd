"""What a page shows as output, against what its code prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest

from helpers.validation.pages.checks import check
from tests.validation.pages.writing import CLIENT, INSTALL, found, python, write

PROGRAM = """
    user = client.create_user()
    print("Created", user.raw_id)
    # A token that is valid for 24 hours
    token = client.get_token(user, ["chat"])
    print("Token ends at", token.expires_on)
    client.revoke_tokens(user)
    print("Revoked the tokens")
    client.delete_user(user)
    print("Deleted", user.raw_id)
"""

ID = "8:acs:4ccc92c8-9815-4422-bddc-ceea181dc774_00000006-19e0-2727-80f5-8b3a0d003502"
GOOD = [
    f"Created {ID}",
    "Token ends at 2022-10-11T07:34:29.9028648+00:00",
    "Revoked the tokens",
    f"Deleted {ID}",
]


def page_with(folder: Path, shown: list[str], *, before: str = "The output:\n") -> Path:
    output = "```output\n" + "\n".join(shown) + "\n```\n"
    return write(folder, INSTALL, CLIENT, python(PROGRAM), before, output)


@pytest.mark.parametrize(
    "shown",
    [
        GOOD,
        ["$ python main.py", *GOOD],
        [GOOD[0], "", *GOOD[1:]],
        [f"Created 8:acs:<resource>_{'x' * 8}", "Token ends at <time>", *GOOD[2:]],
        [GOOD[0], "...", GOOD[3]],
    ],
)
def test_output_that_agrees_gives_nothing(shown: list[str], tmp_path: Path) -> None:
    assert found(page_with(tmp_path, shown)) == []


@pytest.mark.parametrize(
    ("shown", "wrong"),
    [
        (
            [*GOOD[:2], "Successfully deleted the tokens", GOOD[3]],
            "Successfully deleted the tokens",
        ),
        ([*GOOD, "Goodbye"], "Goodbye"),
        ([GOOD[0], *GOOD[2:]], "Revoked the tokens"),
        ([GOOD[0], "Token ends at noon", *GOOD[2:]], "Token ends at noon"),
        ([GOOD[0], GOOD[2], GOOD[1], GOOD[3]], "Revoked the tokens"),
    ],
)
def test_output_that_disagrees_is_found_at_its_line(
    shown: list[str], wrong: str, tmp_path: Path
) -> None:
    result = found(page_with(tmp_path, shown))

    assert ("output-differs", wrong) in result
    assert {rule for rule, _line in result} == {"output-differs"}


def test_what_other_commands_print_is_no_output_of_the_code(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        "```output\nSuccessfully installed azure-communication-identity\n```\n",
        CLIENT,
        "Set the variable, which shows nothing:\n",
        '```console\nsetx COMMUNICATION_SERVICES_CONNECTION_STRING "<yours>"\n```\n',
        "```azurecli\naz communication list\n```\n",
        '```output\n[{"name": "contoso"}]\n```\n',
    )

    assert found(page) == []


def test_a_step_is_compared_with_its_own_output(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        python('print("one")'),
        "```output\none\n```\n",
        python('print("two")'),
        "```output\nthree\n```\n",
    )

    assert found(page) == [("output-differs", "three")]


def test_a_session_is_compared_answer_by_answer(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        "```python-interactive\n>>> 1 + 1\n3\n>>> for name in 'ab':\n...     print(name)\na\nb\n```\n",
    )

    assert found(page) == [("output-differs", "3")]


def test_a_comment_that_names_another_lifetime(tmp_path: Path) -> None:
    page = write(tmp_path, INSTALL, CLIENT, python(PROGRAM.replace("24 hours", "one hour")))

    assert found(page) == [("lifetime-claim", "# A token that is valid for one hour")]


# Sample tokens are made here and expired long ago; no file holds one.


def sample(
    minutes: int, *, owner: str = "acs:00000000-0000-0000-0000-000000000000_0", **claims: Any
) -> str:
    return jwt.encode(
        {"skypeid": owner, "iat": 1_600_000_000, "exp": 1_600_000_000 + 60 * minutes, **claims},
        "a secret of this test, long enough to sign with",
        headers={"kid": "106"},
    )


def page_with_tokens(folder: Path, *tokens: str) -> Path:
    shown = "\n".join(f"Created {ID}\n{token}" for token in tokens)
    return write(
        folder,
        INSTALL,
        CLIENT,
        python("""
            for _ in range(2):
                user, token = client.create_user_and_token(["voip"])
                print("Created", user.raw_id)
                print(token.token)
                client.delete_user(user)
        """),
        f"The output:\n\n```output\n{shown}\n```\n",
    )


def sample_findings(page: Path) -> list[str]:
    return [one.message for one in check(page).findings if one.rule == "sample-token"]


def test_one_token_for_two_identities_that_lives_another_time_than_the_code_asks_for(
    tmp_path: Path,
) -> None:
    token = sample(60, acsScope="voip")

    shown = sample_findings(page_with_tokens(tmp_path, token, token))

    assert shown == [
        "The sample token lives 60 minutes, but the code asks for 1440; use one that fits.",
        "The sample token lives 60 minutes, but the code asks for 1440; use one that fits.",
        "The same sample token was shown on line 26, but the code prints two different ones.",
    ]


def test_a_sample_token_of_another_identity_or_scope(tmp_path: Path) -> None:
    tokens = [sample(1440, owner=f"acs:{'1' * 8}"), sample(1440, acsScope="chat")]

    shown = sample_findings(page_with_tokens(tmp_path, *tokens))

    assert shown == [
        "The sample token belongs to another identity than the one shown above it.",
        "The sample token has the scopes chat, but the code asks for voip.",
    ]


def test_a_whole_token_in_a_page_is_named_though_it_expired(tmp_path: Path) -> None:
    page = page_with_tokens(
        tmp_path, sample(1440, acsScope="voip"), sample(1440, acsScope="voip", csi=1)
    )

    said = {one.message for one in check(page).findings if one.rule == "secret-in-page"}

    assert said == {
        "A whole access token stands here (expired 2020-09-14); write a placeholder such as <access token>."
    }
