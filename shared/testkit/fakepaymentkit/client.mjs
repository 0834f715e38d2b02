// Drives a Payment Kit with the public client, as a component of an app does, and
// prints what each call came to as one line of JSON.
import { createRequire } from 'node:module';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { fromSecretKey, WalletType } = require('@ocap/wallet');
const { types } = require('@ocap/mcrypto');

const [port, secretKey, component] = process.argv.slice(2);
const app = fromSecretKey(secretKey, WalletType({ role: types.RoleType.ROLE_APPLICATION, pk: types.KeyType.ED25519, hash: types.HashType.SHA3 }));
const kit = 'z2qaCNvKMv5GjouKdcDWexv6WqtHbpNPQDnAk';
const mounts = [
  { title: 'Payment Kit', did: kit, name: kit, version: '1.27.2', mountPoint: '/payment', status: 6, port: Number(port) },
  { title: 'Hub', did: component, name: component, version: '1.0.0', mountPoint: '/', status: 6, port: 1 },
];
Object.assign(process.env, {
  BLOCKLET_MODE: 'test', NODE_ENV: 'test', CHAIN_TYPE: 'arcblock', BLOCKLET_APP_NAME: 'x', BLOCKLET_APP_DESCRIPTION: 'x',
  BLOCKLET_APP_ASK: app.secretKey, BLOCKLET_APP_PK: app.publicKey, BLOCKLET_APP_ID: app.address, BLOCKLET_APP_PID: app.address, BLOCKLET_DID: app.address,
  BLOCKLET_COMPONENT_DID: component, BLOCKLET_APP_URL: 'https://app.example', BLOCKLET_APP_EK: `0x${'ab'.repeat(64)}`,
  BLOCKLET_DATA_DIR: mkdtempSync(join(tmpdir(), 'payment-')), BLOCKLET_MOUNT_POINTS: JSON.stringify(mounts),
  ABT_NODE_PORT: '1', ABT_NODE_SERVICE_PORT: '1', ABT_NODE_DID: app.address, ABT_NODE_PK: app.publicKey,
});
const payment = require('@blocklet/payment-js').default;

const results = {};
async function call(name, act) {
  try {
    results[name] = await act();
  } catch (e) {
    results[name] = { failed: e.response?.status ?? String(e.message) };
  }
  return results[name];
}

await call('missing', () => payment.meters.retrieve('nothing'));
const meter = await call('meter', () => payment.meters.create({ name: 'Hub', description: 'é张', event_name: 'hub', unit: 'credits', aggregation_method: 'sum' }));
await call('retrieved', () => payment.meters.retrieve('hub'));
const customer = await call('customer', () => payment.customers.retrieve('zUser', { create: true }));
await call('grant', () => payment.creditGrants.create({ customer_id: customer.id, currency_id: meter.currency_id, amount: '2', name: 'g', expires_at: 0,
  category: 'promotional', metadata: {} }));
for (const name of ['event', 'repeated']) {
  await call(name, () => payment.meterEvents.create({ event_name: 'hub', timestamp: Math.floor(Date.now() / 1000),
    payload: { customer_id: 'zUser', value: '2.5' }, identifier: 'batch-1', metadata: { appId: 'zApp' } }));
}
await call('pending', () => payment.meterEvents.pendingAmount({ customer_id: customer.id }));
await call('summary', () => payment.creditGrants.summary({ customer_id: customer.id }));
await call('grants', () => payment.creditGrants.list({ customer_id: customer.id, currency_id: meter.currency_id, page: 1, pageSize: 20 }));
await call('available', () => payment.creditGrants.verifyAvailability({ customer_id: 'zUser', currency_id: meter.currency_id, pending_amount: '5000000000' }));
await call('product', () => payment.products.create({ name: 'p', type: 'credit', prices: [{ type: 'one_time', unit_amount: '1', lookup_key: 'KEY' }] }));
const price = await call('price', () => payment.prices.retrieve('KEY'));
await call('link', () => payment.paymentLinks.create({ name: 'l', lookup_key: 'LINK', line_items: [{ price_id: price.id, quantity: 1 }] }));
await call('linked', () => payment.paymentLinks.retrieve('LINK'));
await call('currencies', () => payment.paymentCurrencies.list({}));
await call('settings', () => payment.settings.retrieve('zHub'));
console.log(JSON.stringify(results));
process.exit(0);
