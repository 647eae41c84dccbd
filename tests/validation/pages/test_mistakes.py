"""Each mistake is found, where it stands, and nothing besides."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.validation.pages.checks import check
from tests.validation.pages.writing import CLIENT, INSTALL, found, messages, python, write


def test_calls_that_the_sdk_or_the_service_refuses(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        CLIENT,
        python("""
            from datetime import timedelta
            user = client.create_user(name="Ana")
            token = client.get_token(user, "voip")
            token = client.get_token(user, ["voip"], token_expires_in=60)
            token = client.get_token(user, ["voip"], expires_in=timedelta(hours=1))
            token = client.get_token(user, ["voip"], token_expires_in=timedelta(hours=25))
            token = client.get_token(user, ["vopi"])
            token = client.get_token(user)
            token = client.get_token(user, scope=["voip"])
            token = client.get_tokn(user, ["voip"])
            print("Ends at " + token.expires_in)
            print("Identity: " + user)
            client.revoke_tokens(user.id)
            client.revoke_tokens(None)
            client.delete_user(user.properties["identifier"])
            wait = timedelta(hour=1)
            with client:
                other = client.create_user_and_token(scopes=["chat"])
            print(other.expires_on)
            client.delete_user(other[0])
            spare = client.create_user()
        """),
    )

    assert found(page) == [
        ("wrong-arguments", 'user = client.create_user(name="Ana")'),
        ("wrong-type", 'token = client.get_token(user, "voip")'),
        ("wrong-type", 'token = client.get_token(user, ["voip"], token_expires_in=60)'),
        (
            "wrong-arguments",
            'token = client.get_token(user, ["voip"], expires_in=timedelta(hours=1))',
        ),
        (
            "service-refuses",
            'token = client.get_token(user, ["voip"], token_expires_in=timedelta(hours=25))',
        ),
        ("service-refuses", 'token = client.get_token(user, ["vopi"])'),
        ("wrong-arguments", "token = client.get_token(user)"),
        ("wrong-arguments", 'token = client.get_token(user, scope=["voip"])'),
        ("unknown-attribute", 'token = client.get_tokn(user, ["voip"])'),
        ("unknown-attribute", 'print("Ends at " + token.expires_in)'),
        ("wrong-type", 'print("Identity: " + user)'),
        ("unknown-attribute", "client.revoke_tokens(user.id)"),
        ("fails", "client.revoke_tokens(None)"),
        ("fails", 'client.delete_user(user.properties["identifier"])'),
        ("wrong-arguments", "wait = timedelta(hour=1)"),
        ("wrong-type", "with client:"),
        ("unknown-attribute", "print(other.expires_on)"),
        ("identity-not-deleted", "spare = client.create_user()"),
    ]


def test_the_sentence_says_what_to_write_instead(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        CLIENT,
        python("""
            user, first = client.create_user_with_token(["chat"])
            second = client.get_token(user, ["chat"], expires_in=60)
            print(user.identifier)
            print(first.expires_on.strftime("%H"))
            client.delete_user(user)
        """),
    )

    said = messages(page)

    assert list(said.values()) == [
        "“CommunicationIdentityClient” has no “create_user_with_token”; use “create_user_and_token” instead.",
        "“get_token” does not accept the argument “expires_in”; use “token_expires_in” instead.",
        '“CommunicationUserIdentifier” has no “identifier”; use “properties["id"]” instead.',
        "“strftime” does not exist here, because this value is text, not a datetime; print it as it is, or read it with "
        "datetime.fromisoformat.",
    ]


def test_the_asynchronous_client_is_tried_too(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        "`pip install azure-communication-identity aiohttp`",
        python("""
            import asyncio
            import os
            from azure.communication.identity.aio import CommunicationIdentityClient

            async def main():
                client = CommunicationIdentityClient.from_connection_string(
                    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
                )
                async with client:
                    user = await client.create_user()
                    token = await client.get_token(user, scopes="chat")
                    token = client.get_token(user, ["chat"])
                    print(token.expires_on)
                    await client.delete(user)
                    await client.delete_user(usr)

            asyncio.run(main())
        """),
    )

    assert found(page) == [
        ("wrong-type", 'token = await client.get_token(user, scopes="chat")'),
        ("unknown-attribute", "print(token.expires_on)"),
        ("unknown-attribute", "await client.delete(user)"),
        ("undefined-name", "await client.delete_user(usr)"),
    ]


def test_what_is_not_python_does_not_hide_what_follows(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        python("""
            import os
            from azure.communication.identity import CommunicationIdentityClient

            client = CommunicationIdentityClient.from_connection_string(os.environ["CONNECTION_STRING"]
            user = client.create_user()
            print "Created " + user.raw_id
            if user
                print(user.raw_id)
            name = <your name>
            const wanted = new timedelta(1);
            client.delete_user(user))
            print(user.identifier)
        """),
        python("""
            def helper(x):
            return x
        """),
        python("""
            print("unterminated)
            print(helper(never_defined))
        """),
        python("""
            CommunicationIdentityClient client = new CommunicationIdentityClient(connectionString);
            var user = client.CreateUser();
            Console.WriteLine(user.Id);
            if (user != null) { return; }
        """),
    )

    assert found(page) == [
        (
            "syntax",
            'client = CommunicationIdentityClient.from_connection_string(os.environ["CONNECTION_STRING"]',
        ),
        ("syntax", 'print "Created " + user.raw_id'),
        ("syntax", "if user"),
        ("syntax", "name = <your name>"),
        ("syntax", "const wanted = new timedelta(1);"),
        ("missing-import", "const wanted = new timedelta(1);"),
        ("syntax", "client.delete_user(user))"),
        ("unknown-attribute", "print(user.identifier)"),
        ("syntax", "return x"),
        ("syntax", 'print("unterminated)'),
        ("undefined-name", "print(helper(never_defined))"),
        (
            "syntax",
            "CommunicationIdentityClient client = new CommunicationIdentityClient(connectionString);",
        ),
    ]


def test_await_outside_of_a_function_is_not_python_in_a_file(tmp_path: Path) -> None:
    page = write(tmp_path, INSTALL, CLIENT, python("user = await client.create_user()"))

    assert ("syntax", "user = await client.create_user()") in found(page)


def test_names_imports_and_packages(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        "```console\npip install azure-comunication-identity\n```\n",
        python("""
            from azure.communication.identity import CommunicationIdentityClient, CommunicationUser
            import azure.communicaton.chat

            conn = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
            client = CommunicationIdentityClient.from_connection_string(conn_str)
            identity = client.create_user()
            client.get_token(identty, ["chat"], token_expires_in=timedelta(hours=2))
            client = CommunicationIdentityClient(endpoint_address, DefaultAzureCredential())
            late()

            def late():
                return undefined_in_function

            client.delete_user(identity)
        """),
    )

    assert found(page) == [
        ("missing-install", "pip install azure-comunication-identity"),
        (
            "unknown-import",
            "from azure.communication.identity import CommunicationIdentityClient, CommunicationUser",
        ),
        ("unknown-import", "import azure.communicaton.chat"),
        ("missing-import", 'conn = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]'),
        (
            "undefined-name",
            "client = CommunicationIdentityClient.from_connection_string(conn_str)",
        ),
        (
            "undefined-name",
            'client.get_token(identty, ["chat"], token_expires_in=timedelta(hours=2))',
        ),
        (
            "missing-import",
            'client.get_token(identty, ["chat"], token_expires_in=timedelta(hours=2))',
        ),
        (
            "undefined-name",
            "client = CommunicationIdentityClient(endpoint_address, DefaultAzureCredential())",
        ),
        (
            "missing-import",
            "client = CommunicationIdentityClient(endpoint_address, DefaultAzureCredential())",
        ),
        (
            "missing-install",
            "client = CommunicationIdentityClient(endpoint_address, DefaultAzureCredential())",
        ),
        ("undefined-name", "late()"),
        ("undefined-name", "return undefined_in_function"),
    ]


def test_a_deprecated_package_is_named_and_the_rest_is_still_followed(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        "- [Python](https://www.python.org/downloads/) 2.7, 3.5, or above.\n",
        "```console\npip install azure-communication-administration\n```\n",
        python("""
            import os
            from azure.communication.administration import CommunicationIdentityClient
            client = CommunicationIdentityClient.from_connection_string(os.environ["CONNECTION_STRING"])
            user = client.create_user()
            token = client.issue_token(user, ["voip"])
            client.delete_user(CommunicationUser(stored_id))
        """),
    )

    assert found(page) == [
        ("python-version", "- [Python](https://www.python.org/downloads/) 2.7, 3.5, or above."),
        ("deprecated-package", "pip install azure-communication-administration"),
        (
            "deprecated-package",
            "from azure.communication.administration import CommunicationIdentityClient",
        ),
        ("unknown-attribute", 'token = client.issue_token(user, ["voip"])'),
        ("missing-import", "client.delete_user(CommunicationUser(stored_id))"),
        ("undefined-name", "client.delete_user(CommunicationUser(stored_id))"),
    ]


def test_secrets_that_the_code_prints(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        CLIENT,
        python("""
            connection_string = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
            user, token = client.create_user_and_token(["chat"])
            print(token.token)
            print(f"Key: {connection_string.split('accesskey=')[1]}")
            print(connection_string)
            print(token.token[:10], len(token.token))
            client.delete_user(user)
        """),
    )

    assert found(page) == [
        ("secret-printed", "print(token.token)"),
        ("secret-printed", "print(f\"Key: {connection_string.split('accesskey=')[1]}\")"),
        ("secret-printed", "print(connection_string)"),
    ]


def test_functions_that_nothing_calls_are_tried_with_what_is_known(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        CLIENT,
        python("""
            def issue(user):
                return client.get_token(user, ["chat"], lifetime=60)

            def make(identity_client: CommunicationIdentityClient, account):
                user = identity_client.create_usr()
                print(identity_client.get_token(user, ["voip"]).token, account.anything.at_all)
        """),
    )

    assert found(page) == [
        ("wrong-arguments", 'return client.get_token(user, ["chat"], lifetime=60)'),
        ("unknown-attribute", "user = identity_client.create_usr()"),
        (
            "secret-printed",
            'print(identity_client.get_token(user, ["voip"]).token, account.anything.at_all)',
        ),
    ]


def test_an_error_that_the_page_expects_is_none(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        CLIENT,
        python("""
            from azure.core.exceptions import HttpResponseError

            def refused():
                client.get_token("nobody", ["chat"])

            try:
                refused()
            except (AttributeError, HttpResponseError) as error:
                print("Refused")

            try:
                client.get_token("nobody", ["chat"])
            except KeyError:
                print("This does not catch it")
        """),
    )

    assert found(page) == [("wrong-type", 'client.get_token("nobody", ["chat"])')]


def test_an_error_that_the_page_raises_itself_is_found_where_it_is_raised(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        python("""
            def check(number):
                if number > 1:
                    raise ValueError("too many")

            def stop():
                raise RuntimeError("stop")

            check(1)
            check(2)
            stop()
            print(never_defined)
        """),
    )

    assert found(page) == [
        ("fails", 'raise ValueError("too many")'),
        ("fails", 'raise RuntimeError("stop")'),
        ("undefined-name", "print(never_defined)"),
    ]


def test_a_teams_page_is_followed_through_the_sign_in(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        "`pip install azure-communication-identity msal`",
        CLIENT,
        python("""
            from msal import PublicClientApplication

            client_id = "Contoso's_Application_ID"
            app = PublicClientApplication(client_id, authority="https://login.microsoftonline.com/common")
            signed_in = app.acquire_token_interactive("https://auth.msft.communication.azure.com/VoIP")
            token = client.get_token_for_teams_user(signed_in.access_token, client_id, "<user object id>")
            token = client.get_token_for_teams_user("not a token", client_id, "<user object id>")
        """),
    )

    assert found(page) == [
        (
            "wrong-type",
            'signed_in = app.acquire_token_interactive("https://auth.msft.communication.azure.com/VoIP")',
        ),
        (
            "unknown-attribute",
            'token = client.get_token_for_teams_user(signed_in.access_token, client_id, "<user object id>")',
        ),
        (
            "service-refuses",
            'token = client.get_token_for_teams_user("not a token", client_id, "<user object id>")',
        ),
    ]


def test_the_text_around_the_code(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        "Make a file called *issue-tokens.py*.\n",
        INSTALL,
        CLIENT,
        "Use the `createUser` method, the `get_token` method or the `delete_users` method.\n",
        "See [above](#nowhere), [here](#run) and [there](other.md#absent).\n",
        "## Run\n\n```console\npython ./issue-token.py\n```\n",
    )
    write(tmp_path, "# Other", name="other.md")

    assert found(page) == [
        (
            "unknown-name-in-text",
            "Use the `createUser` method, the `get_token` method or the `delete_users` method.",
        ),
        (
            "unknown-name-in-text",
            "Use the `createUser` method, the `get_token` method or the `delete_users` method.",
        ),
        ("missing-anchor", "See [above](#nowhere), [here](#run) and [there](other.md#absent)."),
        ("missing-anchor", "See [above](#nowhere), [here](#run) and [there](other.md#absent)."),
        ("file-name", "python ./issue-token.py"),
    ]


@pytest.mark.parametrize("is_repository", [True, False])
def test_links_to_absent_files_count_where_the_whole_repository_is_at_hand(
    is_repository: bool, tmp_path: Path
) -> None:
    if is_repository:
        (tmp_path / "docfx.json").write_text("{}")
    page = write(tmp_path, "[there](absent.md), [web](https://example.com/x.md), [root](/azure/x)")

    rules = [rule for rule, _line in found(page)]

    assert rules == (["missing-link"] if is_repository else [])


def test_an_absent_include_is_a_warning_with_its_name(tmp_path: Path) -> None:
    page = write(tmp_path, "# Page", "[!INCLUDE [notice](../includes/notice.md)]", INSTALL, CLIENT)

    (finding,) = check(page).findings

    assert (finding.rule, finding.severity, finding.line) == ("missing-include", "warning", 2)
    assert "“../includes/notice.md”" in finding.message


def test_a_finding_names_the_included_file_and_its_own_line_and_column(tmp_path: Path) -> None:
    page = write(tmp_path, "# Page", "", "[!INCLUDE [code](parts/code.md)]")
    included = write(
        tmp_path,
        INSTALL,
        CLIENT,
        "1. Then:\n\n   ```python\n   client.forget()\n   ```\n",
        name="parts/code.md",
    )

    (finding,) = check(page).findings

    line = included.read_text().splitlines().index("   client.forget()") + 1
    assert (finding.file.resolve(), finding.line, finding.column) == (included.resolve(), line, 11)


def test_only_the_chosen_pivot_is_checked(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        INSTALL,
        '::: zone pivot="sync"\n',
        CLIENT,
        python("client.forget()"),
        "::: zone-end\n",
        '::: zone pivot="other, sync"\n',
        CLIENT,
        python("client.remember()"),
        "::: zone-end\n",
    )

    assert [line for _rule, line in found(page, pivot="other")] == ["client.remember()"]
    assert [line for _rule, line in found(page, pivot="sync")] == [
        "client.forget()",
        "client.remember()",
    ]
    assert [line for _rule, line in found(page)] == ["client.forget()", "client.remember()"]
