"""Create and manage access tokens: the complete quickstart.

Needs the package azure-communication-identity, and the connection string of a Communication Services resource in the
environment variable COMMUNICATION_SERVICES_CONNECTION_STRING.
"""

import os
from datetime import timedelta

from azure.communication.identity import CommunicationIdentityClient, CommunicationUserIdentifier


def shown(token):
    """What may be printed of a token: that it is there. Whoever sees all of it can use it."""
    return f"{token[:10]}… ({len(token)} characters)"


try:
    print("Azure Communication Services - Access Tokens Quickstart")

    # Authenticate the client
    connection_string = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
    client = CommunicationIdentityClient.from_connection_string(connection_string)

    # Create an identity, and store its ID: nobody lists identities for you
    identity = client.create_user()
    stored_id = identity.properties["id"]
    print("\nCreated an identity with ID: " + stored_id)

    # Issue an access token with a validity of 24 hours and the "voip" scope
    token_result = client.get_token(identity, ["voip"])
    print("\nIssued an access token with 'voip' scope that expires at " + token_result.expires_on + ":")
    print(shown(token_result.token))

    # Issue an access token with a validity of an hour
    token_expires_in = timedelta(hours=1)
    token_result = client.get_token(identity, ["voip"], token_expires_in=token_expires_in)
    print("\nIssued an access token for one hour for the identity with ID: " + stored_id)

    # Create an identity and issue an access token in the same request
    identity_token_result = client.create_user_and_token(["voip"])
    other_identity = identity_token_result[0]
    token = identity_token_result[1].token
    expires_on = identity_token_result[1].expires_on
    print("\nCreated an identity with ID: " + other_identity.properties["id"])
    print("\nIssued an access token with 'voip' scope that expires at " + expires_on + ":")
    print(shown(token))

    # Refresh an access token: issue another one for the stored identity
    identity = CommunicationUserIdentifier(stored_id)
    token_result = client.get_token(identity, ["voip"])
    print("\nRefreshed the access token of the identity with ID: " + stored_id)

    # Revoke all access tokens of the identity
    client.revoke_tokens(identity)
    print("\nSuccessfully revoked all access tokens for identity with ID: " + stored_id)

    # Delete both identities
    client.delete_user(identity)
    print("\nDeleted the identity with ID: " + stored_id)
    client.delete_user(other_identity)
    print("\nDeleted the identity with ID: " + other_identity.properties["id"])
except Exception as ex:
    print("Exception:")
    print(ex)
    raise SystemExit(1) from ex
