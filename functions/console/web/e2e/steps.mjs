// A day's steps, one after the other; the first fault ends it. Each day-*.mjs is run on a hub of its own by localrun/console_test.go.
import { complaints, go, launch, open } from "./browser.mjs";

const owner = { email: "owner@example.com", password: "a long enough password" };

/** begin makes an owner, a provider with a price for MODEL and a key by the hub's API, and signs the owner in. */
export async function begin({ expected = [] } = {}) {
  const browser = await launch();
  const page = await open(browser, { expected });
  const hub = process.env.HUB.replace(/\/$/, "");
  /** api asks the hub with the owner's session, and gives its answer. */
  const api = async (method, path, body) => {
    const answer = await page.context().request.fetch(`${hub}${path}`, {
      method,
      headers: { "X-Aigne-Hub-Csrf": "1", Origin: new URL(hub).origin },
      ...(body === undefined ? {} : { data: body }),
    });
    const text = await answer.text();
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
  const { api_key: key } = await api("POST", "/api/auth/setup", { token: process.env.TOKEN, ...owner });
  await api("POST", "/api/auth/login", owner);
  await api("POST", "/api/admin/providers", {
    kind: "openai",
    name: "openai",
    base_url: process.env.PROVIDER,
    credential: process.env.PROVIDER_KEY,
  });
  const model = `openai/${process.env.MODEL}`;
  await api("PUT", "/api/admin/rates", {
    provider: "openai",
    model: process.env.MODEL,
    type: "chatCompletion",
    usd_per_million: { input: "2", output: "8" },
    cost_usd_per_million: { input: "1", output: "4" },
    reason: "test",
  });
  /** call makes a call with the key, by default a short chat, and gives the answer's text. */
  const call = async (body = {}, path = "/v1/chat/completions") => {
    const answer = await fetch(`${hub}${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }], ...body }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  await page.waitForTimeout(2000); // a change works within two seconds
  await go(page, "/");
  return { browser, page, hub, api, call, key, model, owner };
}

/** run takes the steps ([name, function] each) in their order, and ends the process with what came of them. */
export async function run(began, steps) {
  let failed = false;
  for (const [name, step] of steps) {
    const start = Date.now();
    try {
      await step();
      console.log(`ok   ${name} (${Date.now() - start} ms)`);
    } catch (fault) {
      failed = true;
      console.log(`FAIL ${name}: ${fault.stack}`);
      if (process.env.SHOTS) await began.page.screenshot({ path: `${process.env.SHOTS}/fault.png` });
      console.log(
        await began.page
          .locator("body")
          .innerText()
          .catch(() => ""),
      );
      break;
    }
  }
  await began.browser.close();
  for (const c of complaints) console.log(`COMPLAINT ${c}`);
  process.exit(failed || complaints.length > 0 ? 1 : 0);
}
