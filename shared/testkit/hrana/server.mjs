// The libSQL server of the tests: Hrana over HTTP (v2 and v3 JSON pipelines, v3
// cursors; github.com/tursodatabase/libsql, docs/HRANA_3_SPEC.md) in front of
// the real engine (npm "libsql"). It answers like sqld where clients look: batons,
// STREAM_EXPIRED, TRANSACTION_TIMEOUT, SQL_MANY_STATEMENTS, error texts.
//
//   node server.mjs --db FILE --listen 127.0.0.1:0 [--auth-token T]
//     [--idle-ms 10000] [--txn-ms 5000] [--delay-ms 0]
//
// prints "listening http://HOST:PORT" and ends when its standard input does.
// POST /_control sets faults for the pipelines to come:
//   {"drop":n}                 execute the next n, send no answer
//   {"late":n,"late_ms":ms}    execute the next n, answer ms later
//   {"errors":n}               answer the next n with 503, execute nothing
//   {"reset":n}                break the connection of the next n, execute nothing
//   {"midway":n}               fail the next n batches at a statement in their middle, as a broken disk does
//   {"cut":n}                  execute the next n batches up to their middle, then lose stream and connection
//   {"match":"text"}           the above only for pipelines that contain the text
//   {"delay_ms":ms}            wait before every pipeline
import http from 'node:http';
import crypto from 'node:crypto';
import { parseArgs } from 'node:util';
import Database from 'libsql';

const { values: opt } = parseArgs({ options: {
  db: { type: 'string' }, listen: { type: 'string', default: '127.0.0.1:0' },
  'auth-token': { type: 'string' }, 'idle-ms': { type: 'string', default: '10000' },
  'txn-ms': { type: 'string', default: '5000' }, 'delay-ms': { type: 'string', default: '0' } } });
if (!opt.db) { console.error('--db FILE is required'); process.exit(2); }
const IDLE = Number(opt['idle-ms']), TXN = Number(opt['txn-ms']);
const fault = { drop: 0, late: 0, late_ms: 0, errors: 0, reset: 0, midway: 0, cut: 0, match: '', delay_ms: Number(opt['delay-ms']) };
const stats = { pipelines: 0, closes: 0, dropped: 0, late: 0, errors: 0, resets: 0, midway: 0, cut: 0 };
const recent = []; // the last pipelines
const sleep = ms => new Promise(r => setTimeout(r, ms));

// A HranaError is the answer to one statement, an HTTPError to the whole request.
class HranaError extends Error { constructor(code, message) { super(message); this.code = code; } }
class HTTPError extends Error {
  constructor(status, body) { super(typeof body === 'string' ? body : body.message ?? body.error); this.status = status; this.body = body; }
}
// A Cut ends the stream and the connection without an answer.
class Cut extends Error {}

// ---- values
function toJS(v) {
  switch (v.type) {
    case 'null': return null;
    case 'integer': return BigInt(v.value);
    case 'float': return Number(v.value);
    case 'text': return v.value;
    case 'blob': return Buffer.from(v.base64, 'base64');
  }
  throw new HTTPError(400, `unknown value type ${v.type}`);
}
function toHrana(v) {
  if (v === null || v === undefined) return { type: 'null' };
  if (typeof v === 'bigint') return { type: 'integer', value: v.toString() };
  if (typeof v === 'number') return { type: 'float', value: v };
  if (typeof v === 'string') return { type: 'text', value: v };
  return { type: 'blob', base64: Buffer.from(v).toString('base64').replace(/=+$/, '') };
}
function stmtError(e) {
  if (e instanceof HTTPError || e instanceof HranaError) return e;
  if (e.code === 'SQLITE_ERROR') return new HranaError('SQL_INPUT_ERROR', `SQL input error: ${e.message} (at offset 0)`);
  return new HranaError(String(e.code ?? 'SQLITE_UNKNOWN').replace(/^(SQLITE_CONSTRAINT)_.*/, '$1'), `SQLite error: ${e.message}`);
}

// The engine runs the first statement of a text and forgets the rest; sqld refuses
// such a text. A trigger's body holds semicolons of its own.
const SKIPPED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\//g;
function refuseMany(sql) {
  const bare = sql.replace(SKIPPED, m => (/^(--|\/\*)/.test(m) ? ' ' : 'x'));
  if (/^\s*create\s+(temp\s+|temporary\s+)?trigger\b/i.test(bare)) return;
  const end = bare.indexOf(';');
  if (end >= 0 && /[^\s;]/.test(bare.slice(end))) throw new HranaError('SQL_MANY_STATEMENTS', 'SQL string contains more than one statement');
}

// ---- a stream is one connection
class Stream {
  constructor() {
    this.db = new Database(opt.db, { timeout: 0 });
    this.db.defaultSafeIntegers(true);
    this.db.prepare('PRAGMA journal_mode=WAL').raw().all();
    this.sqls = new Map();
  }
  close() {
    clearTimeout(this.txnTimer);
    if (this.db) { const db = this.db; this.db = null; db.close(); }
  }
  // The engine is synchronous, so a lock must never be waited for inside it (the
  // COMMIT that would free it could not run): retry from the event loop.
  async retry(fn) {
    for (let waited = 0, step = 1; ; waited += step, step = Math.min(step * 2, 20)) {
      try { return fn(); } catch (e) {
        if (e.code !== 'SQLITE_BUSY' || this.db.inTransaction || waited >= TXN) throw e;
        await sleep(step);
      }
    }
  }
  watchTxn() { // a forgotten transaction is rolled back after a while
    if (!this.db.inTransaction) { clearTimeout(this.txnTimer); this.txnTimer = null; return; }
    this.txnTimer ??= setTimeout(() => {
      this.txnTimer = null;
      if (this.db?.inTransaction) { this.db.exec('ROLLBACK'); this.timedOut = true; }
    }, TXN);
  }
  sql(r) {
    if (typeof r.sql === 'string') return r.sql;
    if (!this.sqls.has(r.sql_id)) throw new HTTPError(400, `SQL text ${r.sql_id} not found`);
    return this.sqls.get(r.sql_id);
  }
  async execute(stmt) {
    if (this.timedOut) { this.timedOut = false; throw new HranaError('TRANSACTION_TIMEOUT', 'Transaction timed out'); }
    const started = performance.now(), named = stmt.named_args ?? [];
    try {
      const sql = this.sql(stmt);
      refuseMany(sql);
      const st = this.db.prepare(sql);
      const args = named.length
        ? Object.fromEntries(named.map(a => [a.name.replace(/^[:@$]/, ''), toJS(a.value)]))
        : (stmt.args ?? []).map(toJS);
      let rows = [], cols = [], n;
      if (st.reader) {
        cols = st.columns().map(c => ({ name: c.name, decltype: c.type }));
        const before = this.total();
        rows = await this.retry(() => st.raw().all(args));
        n = this.total() - before;
      } else n = (await this.retry(() => st.run(args))).changes;
      const [[rowid]] = this.db.prepare('SELECT last_insert_rowid()').raw().all();
      this.watchTxn();
      return { cols, rows: stmt.want_rows === false ? [] : rows.map(r => r.map(toHrana)), affected_row_count: Number(n),
        last_insert_rowid: rowid.toString(), replication_index: null, rows_read: rows.length, rows_written: Number(n),
        query_duration_ms: performance.now() - started };
    } catch (e) { this.watchTxn(); throw stmtError(e); }
  }
  total() { return Number(this.db.prepare('SELECT total_changes()').raw().all()[0][0]); }
  async batch({ steps }) {
    const step_results = [], step_errors = [];
    const holds = c => {
      switch (c.type) {
        case 'ok': return step_results[c.step] != null;
        case 'error': return step_errors[c.step] != null;
        case 'not': return !holds(c.cond);
        case 'and': return c.conds.every(holds);
        case 'or': return c.conds.some(holds);
        case 'is_autocommit': return !this.db.inTransaction;
      }
      throw new HTTPError(400, `unknown condition ${c.type}`);
    };
    const trouble = this.trouble, middle = steps.length >> 1;
    this.trouble = null;
    for (const [i, s] of steps.entries()) {
      step_results[i] = step_errors[i] = null;
      if (s.condition && !holds(s.condition)) continue;
      try {
        if (trouble === 'cut' && i === middle) throw new Cut();
        if (trouble === 'midway' && i === middle) throw new HranaError('SQLITE_IOERR', 'SQLite error: disk I/O error');
        step_results[i] = await this.execute(s.stmt);
      } catch (e) {
        if (!(e instanceof HranaError)) throw e;
        step_errors[i] = { message: e.message, code: e.code };
      }
    }
    return { step_results, step_errors };
  }
  describe(r) {
    const st = this.db.prepare(this.sql(r));
    const cols = st.reader ? st.columns().map(c => ({ name: c.name, decltype: c.type })) : [];
    return { params: [], cols, is_explain: false, is_readonly: st.reader };
  }
  async request(r) {
    if (!this.db) throw new HranaError('STREAM_CLOSED', 'The stream is closed');
    const type = r.type;
    switch (type) {
      case 'execute': return { type, result: await this.execute(r.stmt) };
      case 'batch': return { type, result: await this.batch(r.batch) };
      case 'sequence':
        try { await this.retry(() => this.db.exec(this.sql(r))); this.watchTxn(); } catch (e) { throw stmtError(e); }
        return { type };
      case 'describe': try { return { type, result: this.describe(r) }; } catch (e) { throw stmtError(e); }
      case 'store_sql': this.sqls.set(r.sql_id, r.sql); return { type };
      case 'close_sql': this.sqls.delete(r.sql_id); return { type };
      case 'get_autocommit': return { type, is_autocommit: !this.db.inTransaction };
      case 'close': this.close(); return { type };
    }
    throw new HTTPError(400, `unknown request type ${type}`);
  }
  async result(r) {
    try { return { type: 'ok', response: await this.request(r) }; } catch (e) {
      if (!(e instanceof HranaError)) throw e;
      return { type: 'error', error: { message: e.message, code: e.code } };
    }
  }
}

// ---- streams are found again by their baton
const streams = new Map(), expired = new Set();
function acquire(baton) {
  if (!baton) {
    const s = new Stream();
    s.id = crypto.randomBytes(12).toString('hex'); s.seq = 0; s.busy = true;
    streams.set(s.id, s);
    return s;
  }
  const [id, seq] = Buffer.from(baton, 'base64').toString().split('.');
  if (expired.has(id)) throw new HTTPError(400, { message: 'The stream has expired due to inactivity', code: 'STREAM_EXPIRED' });
  const s = streams.get(id);
  if (!s) throw new HTTPError(400, 'Received an invalid baton');
  if (s.busy || String(s.seq) !== seq) throw new HTTPError(400, 'Received a baton that has already been used');
  clearTimeout(s.idle); s.seq++; s.busy = true;
  return s;
}
function release(s) {
  s.busy = false;
  if (!s.db) { streams.delete(s.id); return null; }
  s.idle = setTimeout(() => { streams.delete(s.id); expired.add(s.id); s.close(); }, IDLE);
  return Buffer.from(`${s.id}.${s.seq}`).toString('base64').replace(/=+$/, '');
}
async function withStream(body, work) {
  const s = acquire(body.baton);
  try { return await work(s); } catch (e) { streams.delete(s.id); s.close(); throw e; }
}
const pipeline = (body, trouble) => withStream(body, async s => {
  s.trouble = trouble;
  const results = [];
  for (const r of body.requests) results.push(await s.result(r));
  return JSON.stringify({ baton: release(s), base_url: null, results });
});
const cursor = body => withStream(body, async s => { // newline-separated JSON
  const { step_results, step_errors } = await s.batch(body.batch);
  const lines = [{ baton: release(s), base_url: null }];
  step_results.forEach((r, step) => {
    if (step_errors[step]) return lines.push({ type: 'step_error', step, error: step_errors[step] });
    if (!r) return;
    lines.push({ type: 'step_begin', step, cols: r.cols }, ...r.rows.map(row => ({ type: 'row', row })),
      { type: 'step_end', affected_row_count: r.affected_row_count, last_insert_rowid: r.last_insert_rowid });
  });
  return lines.map(l => JSON.stringify(l) + '\n').join('');
});

// ---- HTTP
async function read(req) {
  const chunks = [];
  for await (const c of req) chunks.push(c);
  return Buffer.concat(chunks).toString();
}
function control(text) {
  for (const [name, value] of Object.entries(JSON.parse(text))) {
    if (!(name in fault) || typeof value !== typeof fault[name]) throw new HTTPError(400, `unknown control ${name}`);
    fault[name] = value;
  }
  return JSON.stringify(fault);
}
// take uses up one planned fault, if it is meant for this pipeline. Clients close
// streams behind their caller's back, at any time: that is never meant.
const closing = body => body.requests?.every(r => r.type === 'close') ?? false;
function take(kind, text, body) {
  if (fault[kind] <= 0 || closing(body) || !text.includes(fault.match)) return false;
  fault[kind]--;
  return true;
}
async function answer(req, res, path) {
  const authorized = !opt['auth-token'] || req.headers.authorization === `Bearer ${opt['auth-token']}`;
  if (req.method === 'GET' && ['/v2', '/v3', '/health', '/version'].includes(path)) return ['text/plain', 'ok'];
  if (!authorized) throw new HTTPError(401, { error: 'Unauthorized: The JWT is invalid' });
  if (req.method === 'GET' && path === '/stats') return ['application/json', JSON.stringify({ ...stats, streams: streams.size })];
  if (req.method === 'GET' && path === '/recent') return ['application/json', JSON.stringify(recent)];
  const text = await read(req);
  if (req.method === 'POST' && path === '/_control') return ['application/json', control(text)];
  if (req.method !== 'POST' || !/^\/v[23]\/(pipeline|cursor)$/.test(path)) throw new HTTPError(404, 'not found');
  const body = JSON.parse(text), batch = body.requests?.some(r => r.type === 'batch');
  if (closing(body)) stats.closes++;
  else {
    stats.pipelines++;
    if (recent.push(text) > 100) recent.shift();
  }
  if (fault.delay_ms > 0) await sleep(fault.delay_ms);
  if (take('errors', text, body)) { stats.errors++; throw new HTTPError(503, { error: 'The server is not available' }); }
  if (take('reset', text, body)) { stats.resets++; res.destroy(); return null; }
  const cut = batch && take('cut', text, body), midway = !cut && batch && take('midway', text, body);
  if (midway) stats.midway++;
  const drop = take('drop', text, body), late = !drop && take('late', text, body);
  let out;
  try { out = path === '/v3/cursor' ? await cursor(body) : await pipeline(body, cut ? 'cut' : midway ? 'midway' : null); } catch (e) {
    if (!(e instanceof Cut)) throw e;
    stats.cut++; res.destroy(); return null;
  }
  if (drop) { stats.dropped++; res.destroy(); return null; }
  if (late) { stats.late++; await sleep(fault.late_ms); }
  return [path === '/v3/cursor' ? 'text/plain' : 'application/json', out];
}
const server = http.createServer(async (req, res) => {
  const send = (status, type, body) => { res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }); res.end(body); };
  try {
    const a = await answer(req, res, new URL(req.url, 'http://x').pathname.replace(/\/$/, ''));
    if (a) send(200, ...a);
  } catch (e) {
    if (e instanceof HTTPError) return typeof e.body === 'string' ? send(e.status, 'text/plain', e.body) : send(e.status, 'application/json', JSON.stringify(e.body));
    send(e instanceof SyntaxError ? 400 : 500, 'text/plain', String(e.stack));
  }
});
const [host, port] = opt.listen.split(':');
server.keepAliveTimeout = 60000;
server.listen(Number(port), host, () => console.log(`listening http://${host}:${server.address().port}`));
for (const sig of ['SIGTERM', 'SIGINT']) process.on(sig, () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).resume();
