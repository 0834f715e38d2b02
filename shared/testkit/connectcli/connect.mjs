// The exchange of `aigne hub connect` (@aigne/cli 1.59.0, createConnect in
// utils/aigne-hub/credential.js), step by step with the packages that it uses. With
// AIGNE_CLI, a folder in which @aigne/cli is installed, its own code runs instead.
import crypto from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import AES from "crypto-js/aes.js";
import utf8 from "crypto-js/enc-utf8.js";
import pWaitFor from "p-wait-for";
import { joinURL, withQuery } from "ufo";

const [origin] = process.argv.slice(2);
const say = (line) => console.log(JSON.stringify(line));

async function request(url, method = "GET", count) {
  const answer = await fetch(url, { method, headers: count === undefined ? {} : { "X-Request-Count": String(count) } });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function replay({ connectUrl, connectAction, source, closeOnSuccess, openPage, retry }) {
  const api = joinURL(connectUrl, "/api/access-key/session");
  const { id } = await request(api, "POST");
  const token = Buffer.from(id).toString("base64").replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  openPage(withQuery(joinURL(connectUrl, connectAction), { __token__: token, source, closeOnSuccess, cli: true, appName: " AIGNE CLI", appLogo: "https://www.aigne.io/favicon.ico?imageFilter=resize&w=32" }));
  const session = withQuery(api, { sid: id });
  let count = 0;
  await pWaitFor(async () => {
    const found = await request(session, "GET", count++);
    return Boolean(found.accessKeyId && found.accessKeySecret);
  }, { interval: retry, timeout: 60_000 });
  const found = await request(session, "GET", count);
  await request(session, "DELETE");
  const passphrase = crypto.pbkdf2Sync(found.challenge, found.accessKeyId, 256, 32, "sha512").toString("hex");
  return { ...found, accessKeySecret: AES.decrypt(found.accessKeySecret, passphrase).toString(utf8) };
}

async function real(options) {
  const from = createRequire(pathToFileURL(process.env.AIGNE_CLI + "/x.js"));
  const { createConnect } = await import(pathToFileURL(from.resolve("@aigne/cli/utils/aigne-hub/credential.js")));
  return createConnect(options);
}

try {
  const found = await (process.env.AIGNE_CLI ? real : replay)({
    connectUrl: joinURL(origin, "/.well-known/service"), connectAction: "gen-simple-access-key", source: "@aigne/cli connect to AIGNE hub", closeOnSuccess: true,
    openPage: (page) => say({ page }), retry: 200,
  });
  say({ key: found.accessKeySecret, id: found.accessKeyId });
} catch (fault) {
  say({ fault: String(fault.message) });
}
