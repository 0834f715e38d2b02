// Does what an owner does by wallet and dashboard, by the Blocklet Server's own code:
//   node server.cjs <folder of the command line> <what> [arguments]
// in the server's folder. What it makes stands in app.json.
const fs = require("node:fs");
const { createRequire } = require("node:module");
const [cli, what, ...args] = process.argv.slice(2);
const load = createRequire(`${cli}/node_modules/@blocklet/cli/package.json`);
const say = (text) => process.stdout.write(`${text}\n`);
console.log = console.info = () => {};

const state = () => JSON.parse(fs.readFileSync("app.json", "utf8"));
const keep = (v) => fs.writeFileSync("app.json", JSON.stringify(v, null, 1), { mode: 0o600 });
const wallet = (role) => {
  const { fromRandom, WalletType } = load("@ocap/wallet");
  const { types } = load("@ocap/mcrypto");
  return fromRandom(
    WalletType({ role: types.RoleType[role], pk: types.KeyType.ED25519, hash: types.HashType.SHA3 }),
  );
};
const open = async () => {
  const { node } = await load("@blocklet/cli/lib/node").getNode({ dir: process.cwd() });
  await new Promise((ready) => node.onReady(ready));
  return node;
};
const client = (s) => {
  const Client = load("@blocklet/server-js");
  const c = new (Client.default || Client)("http://127.0.0.1:8089/api/gql");
  c.setAuthAccessKey({ accessKeyId: s.key.id, accessKeySecret: s.key.secret, type: s.key.type });
  return c;
};

const acts = {
  // An app of its own, with nothing in it yet.
  async app() {
    const node = await open();
    const info = await node.getNodeInfo();
    const key = await node.createAccessKey(
      { teamDid: info.did, remark: "test", passport: "admin", authType: "signature" },
      { user: { did: info.did, role: "owner", fullName: "test" } },
    );
    const s = { key: { id: key.accessKeyId, secret: key.accessKeySecret } };
    const own = wallet("ROLE_APPLICATION");
    await client(s).installBlocklet({
      input: { type: "create", title: "Test App", description: "an app for tests", appSk: own.secretKey },
    });
    keep({ ...s, did: own.address });
    say(own.address);
  },
  // A user of each role, signed in, with an access key.
  async users() {
    const s = state();
    const node = await open();
    const info = await node.getNodeInfo();
    const app = await node.getBlocklet({ did: s.did });
    const { secret } = load("@blocklet/meta/lib/info").getBlockletInfo(app, info.sk);
    const { createAuthToken } = load("@abtnode/auth/lib/auth");
    s.users = {};
    for (const role of ["owner", "admin", "member", "guest"]) {
      const w = wallet("ROLE_ACCOUNT");
      const passport =
        role === "guest"
          ? undefined
          : {
              id: wallet("ROLE_ACCOUNT").address,
              name: role,
              role,
              title: role,
              issuer: { id: s.did, name: "Test App" },
              issuanceDate: new Date().toISOString(),
              specVersion: "2.0",
              type: ["NFTPassport", "VerifiableCredential"],
              endpoint: "http://app.test",
            };
      await node.loginUser({
        teamDid: s.did,
        user: {
          did: w.address,
          pk: w.publicKey,
          fullName: role,
          email: `${role}@example.com`,
          locale: "en",
          lastLoginIp: "127.0.0.1",
          passport,
          connectedAccount: { did: w.address, pk: w.publicKey, provider: "wallet" },
        },
      });
      if (role === "owner") await node.setBlockletInitialized({ did: s.did, owner: { did: w.address, pk: w.publicKey } }, {});
      const token = await createAuthToken({
        did: w.address,
        passport,
        role,
        secret,
        expiresIn: "1d",
        fullName: role,
        provider: "wallet",
        walletOS: "web",
        kyc: 1,
        elevated: false,
      });
      const key = await node.createAccessKey(
        { teamDid: s.did, remark: role, passport: role, authType: "simple" },
        { user: { did: w.address, role: "owner", fullName: role } },
      );
      s.users[role] = { did: w.address, token, key: key.accessKeySecret };
    }
    keep(s);
    say("ok");
  },
  // act <start|stop|restart> <component DID>
  async act(name, did) {
    const s = state();
    await client(s)[`${name}Blocklet`]({ input: { did: s.did, componentDids: [did] } });
    say("ok");
  },
  // The components: DID, version, status, port.
  async components() {
    const s = state();
    const { blocklet } = await client(s).getBlocklet({ input: { did: s.did } });
    for (const c of blocklet.children || [])
      say([c.meta.did, c.meta.version, c.status, c.greenStatus, JSON.stringify(c.ports), c.mountPoint].join(" "));
  },
  // settings <component DID> key=value …: preferences are those that begin with prefs.
  async settings(did, ...pairs) {
    const s = state();
    const configs = pairs.map((p) => {
      const i = p.indexOf("=");
      return { key: p.slice(0, i), value: p.slice(i + 1), secure: false, shared: false, custom: false };
    });
    await client(s).configBlocklet({ input: { did: [s.did, did], configs } });
    say("ok");
  },
};

acts[what](...args)
  .then(() => process.exit(0))
  .catch((err) => {
    process.stderr.write(`${what}: ${err.message} ${JSON.stringify(err.errors || "")}\n${err.stack}\n`);
    process.exit(1);
  });
