// Makes what users, components and the server of an app show, with the packages
// that ArcBlock publishes, and prints it as JSON. The clock stands still and the
// keys are this script's own, so that the output is always the same.
//
//   node users.mjs UNIX-SECONDS
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const now = Number(process.argv[2]);
Date.now = () => now * 1000;
const { fromSecretKey, WalletType } = require('@ocap/wallet');
const { types, Signer } = require('@ocap/mcrypto');
const { toBase58 } = require('@ocap/util');
const arcJwt = require('@arcblock/jwt');
const jwt = require('jsonwebtoken');
const stable = require('json-stable-stringify');

const key = (n) => Signer.Ed25519.genKeyPair('hex', Buffer.alloc(32, n)).secretKey;
const wallet = (n, role, pk = types.KeyType.ED25519) => fromSecretKey(pk === types.KeyType.ED25519 ? key(n) : `0x${Buffer.alloc(32, n).toString('hex')}`,
  WalletType({ role, pk, hash: types.HashType.SHA3 }));
const app = wallet(1, types.RoleType.ROLE_APPLICATION);
const server = wallet(2, types.RoleType.ROLE_APPLICATION);
const person = wallet(3, types.RoleType.ROLE_ACCOUNT);
const access = wallet(4, types.RoleType.ROLE_ACCOUNT);
const remote = wallet(5, types.RoleType.ROLE_APPLICATION);
const curve = wallet(6, types.RoleType.ROLE_APPLICATION, types.KeyType.SECP256K1);
const secret = `0x${'5e'.repeat(32)}`;
const component = 'z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ';

Object.assign(process.env, {
  BLOCKLET_MODE: 'test', NODE_ENV: 'test', CHAIN_TYPE: 'arcblock', BLOCKLET_APP_NAME: 'x', BLOCKLET_APP_DESCRIPTION: 'x', BLOCKLET_APP_SK: app.secretKey,
  BLOCKLET_APP_ASK: app.secretKey, BLOCKLET_APP_PK: app.publicKey, BLOCKLET_APP_ID: app.address, BLOCKLET_APP_PID: app.address, BLOCKLET_DID: app.address,
  BLOCKLET_COMPONENT_DID: component, BLOCKLET_APP_URL: 'https://app.example', BLOCKLET_APP_EK: `0x${'ab'.repeat(64)}`, BLOCKLET_DATA_DIR: '/nonexistent',
  BLOCKLET_MOUNT_POINTS: '[]', ABT_NODE_PORT: '1', ABT_NODE_SERVICE_PORT: '1', ABT_NODE_DID: server.address, ABT_NODE_PK: server.publicKey,
  BLOCKLET_SESSION_SECRET: secret,
});
const { getSignData } = require('@blocklet/sdk/lib/util/verify-sign');
const { verifyLoginToken } = require('@blocklet/sdk/lib/util/verify-session');

const claims = (role) => ({ type: 'user', did: person.address, role, provider: 'wallet', kyc: 1, elevated: false, walletOS: 'web', passport: { id: access.address },
  fullName: 'Ada 张', iat: now, exp: now + 86400 });
const login = (role, options = {}, as = secret) => jwt.sign({ ...claims(role), ...options.claims }, as, options.jwt);
const call = async (method, url, data, params) => {
  const signed = await getSignData({ method, url, data, params }, { appSk: app.secretKey });
  return { method, url, query: params ?? {}, body: data ? JSON.stringify(data) : '', headers: { 'x-component-did': component, 'x-component-sig': signed.sig,
    'x-component-sig-iat': String(signed.iat), 'x-component-sig-exp': String(signed.exp), 'x-component-sig-version': String(signed.version) } };
};
const v1 = async (w, userDid) => {
  const data = { model: 'openai/gpt-fake', messages: [{ role: 'user', content: 'Hi <b> é张\u2028' }] };
  const said = { appId: w.address, timestamp: now, data, ...(userDid === undefined ? {} : { userDid }) };
  const sig = await w.sign(stable(said));
  return { body: JSON.stringify(data), publicKey: w.publicKey, headers: { 'x-app-id': w.address, 'x-timestamp': String(now), 'x-app-user-did': userDid ?? '', 'x-component-sig': sig } };
};

const member = login('member');
if ((await verifyLoginToken({ token: member, strictMode: true }))?.did !== person.address) throw new Error('the SDK does not take its own token');
const out = {
  now, secret, app: { did: app.address, ask: app.secretKey }, server: { did: server.address, pk: server.publicKey }, person: person.address, component,
  logins: { owner: login('owner'), admin: login('admin'), member, guest: login('guest'), custom: login('editor') },
  forged: {
    'another secret': login('owner', {}, `0x${'5f'.repeat(32)}`),
    'the secret decoded': jwt.sign(claims('owner'), Buffer.from(secret.slice(2), 'hex')),
    'HS384': login('owner', { jwt: { algorithm: 'HS384' } }),
    'HS512': login('owner', { jwt: { algorithm: 'HS512' } }),
    'no algorithm': jwt.sign(claims('owner'), '', { algorithm: 'none' }),
    'expired': login('owner', { claims: { exp: now - 1 } }),
    'not yet valid': login('owner', { claims: { nbf: now + 600 } }),
    'issued tomorrow': login('owner', { claims: { iat: now + 86400, exp: now + 2 * 86400 } }),
    'another type': login('owner', { claims: { type: 'blocklet_controller' } }),
    'a refresh token': login('owner', { claims: { tokenType: 'refresh' } }),
    'a program let in': login('owner', { claims: { oauth: { clientId: 'x', scope: 'profile' } } }),
    'another audience': login('owner', { claims: { aud: remote.address } }),
    'another issuer': login('owner', { claims: { iss: remote.address } }),
    'no user': login('owner', { claims: { did: undefined } }),
    'no role': login('owner', { claims: { role: undefined } }),
    'an ArcBlock JWT': arcJwt.sign(person.address, person.secretKey, claims('owner')),
  },
  access: { key: `blocklet-${toBase58(Buffer.from(access.publicKey.slice(2), 'hex'))}`, did: access.address },
  senders: {
    good: await arcJwt.sign(server.address, server.secretKey, {}), hashed: await arcJwt.signV2(server.address, server.secretKey, {}),
  },
  badSenders: {
    'the app': await arcJwt.sign(app.address, app.secretKey, {}),
    'another key': await arcJwt.sign(server.address, app.secretKey, {}),
    'old': await arcJwt.sign(server.address, server.secretKey, { iat: String(now - 2000), nbf: String(now - 2000), exp: String(now - 1700) }),
    'early': await arcJwt.sign(server.address, server.secretKey, { iat: String(now + 2000), nbf: String(now + 2000), exp: String(now + 2300) }),
  },
  calls: [await call('POST', '/api/v1/chat/completions', { model: 'openai/gpt-fake', messages: [{ role: 'user', content: 'é张' }] }),
    await call('GET', '/api/usage/quota?userDid=x', undefined, { page: 2 })],
  remote: { plain: await v1(remote), 'with a user': await v1(remote, person.address), 'with none': await v1(remote, '') },
  curve: await v1(curve),
};
for (const [name, token] of Object.entries(out.forged)) out.forged[name] = await token;
const head = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
out.forged['no algorithm, a signature'] = [head, ...member.split('.').slice(1)].join('.');
console.log(JSON.stringify(out, null, 1));
process.exit(0);
