// The channel by which a server tells components what happens to users: ArcBlock's
// own web socket server (npm @arcblock/ws), which checks what a component shows by
// their own package for tokens. Prints its port, then what it refused.
//
//   node channel.mjs SERVER-SECRET-KEY APP-DID COMPONENT-DID API-KEY USER-DID
import { createRequire } from 'node:module';
import http from 'node:http';

const require = createRequire(import.meta.url);
const { WsServer } = require('@arcblock/ws');
const arcJwt = require('@arcblock/jwt');
const { fromSecretKey, WalletType } = require('@ocap/wallet');
const { types } = require('@ocap/mcrypto');

const [secretKey, app, component, apiKey, user] = process.argv.slice(2);
const server = fromSecretKey(secretKey, WalletType({ role: types.RoleType.ROLE_APPLICATION, pk: types.KeyType.ED25519, hash: types.HashType.SHA3 }));
const topic = `component:${app}:${component}`;
const quiet = { info() {}, debug() {}, warn() {}, error() {} };

const channel = new WsServer({
  pathname: '/.well-known/service/websocket',
  logger: quiet,
  authenticate: async (req, cb) => {
    const q = new URL(req.url, 'http://x').searchParams;
    const ok = await arcJwt.verify(q.get('token'), q.get('pk'));
    if (!ok) console.log('refused: token');
    cb(ok ? null : new Error('token'), { did: app });
  },
  hooks: {
    authenticateJoinChannel: async ({ topic: to, payload }) => {
      if (to !== topic || payload.apiKey !== apiKey || !(await arcJwt.verify(payload.token, payload.pk))) {
        console.log('refused: join');
        throw new Error('join');
      }
      return { did: app };
    },
    postJoinChannel: async () => {
      const tell = async (event, key) => {
        const sender = { did: server.address, token: await arcJwt.sign(server.address, key, {}) };
        await channel.broadcast(topic, event, { data: { teamDid: app, user: { did: user, fullName: 'x' } }, sender, time: new Date().toISOString() }, { noCluster: true });
      };
      setTimeout(async () => {
        await tell('user.updated', `0x${'09'.repeat(64)}`);
        await tell('blocklet.appConfigChanged', server.secretKey);
        await tell('user.permission.updated', server.secretKey);
      }, 50);
    },
  },
});
const web = http.createServer((_, res) => res.writeHead(404).end());
channel.attach(web);
web.listen(0, '127.0.0.1', () => console.log(`port ${web.address().port}`));
process.stdin.resume().on('end', () => process.exit(0));
