// Every operation of the JavaScript client, whatever its version: by key and by a bearer token.
const assert = require("assert");
const { CommunicationIdentityClient } = require("@azure/communication-identity");

// What @azure/identity's managed-identity credential does, in a few lines.
const credential = {
  async getToken(scope) {
    const resource = (Array.isArray(scope) ? scope[0] : scope).replace(/\/\.default$/, "");
    const url = `${process.env.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${resource}`;
    const answer = await fetch(url, { headers: { "X-IDENTITY-HEADER": process.env.IDENTITY_HEADER } });
    const token = await answer.json();
    return { token: token.access_token, expiresOnTimestamp: Number(token.expires_on) * 1000 };
  },
};

async function refused(work, code) {
  await assert.rejects(work, (error) => {
    assert.strictEqual(error.code || (error.details && error.details.error && error.details.error.code), code, error);
    return true;
  });
}

async function walk(client, version) {
  const user = await client.createUser();
  assert.match(user.communicationUserId, /^8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}$/);
  const both = await client.createUserAndToken(["chat", "voip"]);
  assert(both.token && both.user.communicationUserId !== user.communicationUserId);
  const day = await client.getToken(user, ["chat"]);
  assert(Math.abs(day.expiresOn - Date.now() - 86400000) < 10000);
  if (version >= "1.2.0") {
    const hour = await client.getToken(user, ["voip"], { tokenExpiresInMinutes: 60 });
    assert(Math.abs(hour.expiresOn - Date.now() - 3600000) < 10000);
    await refused(client.getToken(user, ["chat"], { tokenExpiresInMinutes: 59 }), "ValidationError");
    await refused(client.createUserAndToken(["chat"], { tokenExpiresInMinutes: 1441 }), "ValidationError");
  }
  if (version >= "1.3.0") {
    assert((await client.getToken(user, ["chat.join", "voip.join"])).token);
  }
  await refused(client.getToken(user, []), "ValidationError");
  await client.revokeTokens(user);
  await client.deleteUser(user);
  await client.deleteUser(both.user);
  const nil = "00000000-0000-0000-0000-000000000000";
  const foreign = { communicationUserId: `8:acs:${nil}_${nil}` };
  await refused(client.getToken(foreign, ["chat", "voip"]), "IdentityNotOwned");
  await refused(client.revokeTokens(foreign), "IdentityNotOwned");
  await refused(client.deleteUser(foreign), "IdentityNotOwned");
  if (client.getTokenForTeamsUser) {
    const options = {
      teamsUserAadToken: process.env.TEAMS_ACCESS_TOKEN,
      clientId: process.env.COMMUNICATION_M365_APP_ID,
      userObjectId: process.env.TEAMS_USER_ID,
    };
    assert((await client.getTokenForTeamsUser(options)).token);
    const expired = { ...options, teamsUserAadToken: process.env.COMMUNICATION_EXPIRED_TEAMS_TOKEN };
    await refused(client.getTokenForTeamsUser(expired), "InvalidAccessToken");
    await refused(client.getTokenForTeamsUser({ ...options, clientId: options.userObjectId }), "ValidationError");
  }
}

async function main() {
  const version = process.argv[2];
  const connectionString = process.env.COMMUNICATION_CONNECTION_STRING;
  await walk(new CommunicationIdentityClient(connectionString), version);
  const [endpoint, key] = connectionString.split(";").map((part) => part.slice(part.indexOf("=") + 1));
  await walk(new CommunicationIdentityClient(endpoint.replace(/\/$/, ""), { key }), version);
  await walk(new CommunicationIdentityClient(endpoint.replace(/\/$/, ""), credential), version);
  console.log("every operation answered as expected");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
