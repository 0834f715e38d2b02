// Measures the console over a hub with very many calls; run by localrun/console_scale_test.go, which fills the database.
import { cpus, loadavg } from "node:os";
import { complaints, go, launch, look, must, open } from "./browser.mjs";

const owner = { email: "owner@example.com", password: "a long enough password" };
const hub = process.env.HUB.replace(/\/$/, "");

// Limits in ms, for a machine that has nothing else to do; on a busy one they grow with what waits for its processors.
const limits = { load: 2500, act: 1500, frame: 150 };
const busy = () => Math.max(1, loadavg()[0] / cpus().length);

const browser = await launch();
const page = await open(browser);
page.setDefaultTimeout(60_000);
const request = (method, path, data) =>
  page
    .context()
    .request.fetch(`${hub}${path}`, { method, data, headers: { "X-Aigne-Hub-Csrf": "1", Origin: new URL(hub).origin } });
const ok = async (answer) => must(answer.ok(), `${answer.url()}: ${answer.status()} ${await answer.text()}`);
await ok(await request("POST", "/api/auth/setup", { token: process.env.TOKEN, ...owner }));
await ok(await request("POST", "/api/auth/login", owner));

const sums = await (await request("GET", "/api/usage/summary?allUsers=true&timeRange=366&compare=none")).json();
must(sums.calls >= Number(process.env.CALLS) * 0.99, `the sums have ${sums.calls} calls only`);

const results = [];
const note = (what, kind, ms, more = "") => {
  results.push([what, kind, ms, limits[kind] * busy()]);
  console.log(`${String(Math.round(ms)).padStart(6)} ms  ${kind.padEnd(5)} ${what}${more}`);
};
/** slowest is how long the slowest of the page's questions to the hub took. */
const slowest = () =>
  page.evaluate(() =>
    Math.max(
      0,
      ...performance
        .getEntriesByType("resource")
        .filter((e) => e.name.includes("/api/"))
        .map((e) => e.duration),
    ),
  );

const shown = () =>
  page.waitForFunction(() => document.querySelector("h1") && !document.querySelector('[role="status"][aria-label], .skeleton'));

/** loaded opens a page three times and takes the middle. */
async function loaded(what, path, there) {
  const times = [];
  for (let i = 0; i < 3; i++) {
    await page.goto("about:blank");
    const began = Date.now();
    await page.goto(`${hub}${path}`);
    await shown();
    await page.locator(there).first().waitFor();
    times.push(Date.now() - began);
  }
  note(what, "load", times.sort((a, b) => a - b)[1], ` (slowest answer ${Math.round(await slowest())} ms)`);
}

/** acted does something and waits for what comes of it. */
async function acted(what, act, there) {
  const began = Date.now();
  await act();
  await there();
  note(what, "act", Date.now() - began);
}

/** scrolled turns the wheel to the end and back and takes the longest that a frame kept the page busy. */
async function scrolled(what) {
  const frames = page.evaluate(
    () =>
      new Promise((done) => {
        let last = performance.now();
        let worst = 0;
        const until = last + 2500;
        const next = (at) => {
          worst = Math.max(worst, at - last);
          last = at;
          if (at < until) requestAnimationFrame(next);
          else done(worst);
        };
        requestAnimationFrame(next);
      }),
  );
  await page.mouse.move(700, 500);
  for (let i = 0; i < 20; i++) await page.mouse.wheel(0, i < 10 ? 400 : -400);
  note(what, "frame", await frames);
}

const rows = () => page.waitForFunction(() => document.querySelectorAll("tbody tr").length > 0);
const settledRows = async () => {
  await page.waitForLoadState("networkidle");
  await rows();
};

await loaded("home", "/", "main h1");
await loaded("calls of everybody", "/calls?everyone=true", "tbody tr");
await scrolled("calls while scrolling");
await acted(
  "calls: next page",
  () => page.getByRole("button", { name: "Next" }).click(),
  async () => {
    await page.waitForURL("**before=**");
    await settledRows();
  },
);
await acted("calls: filter by status", () => page.goto(`${hub}/calls?everyone=true&status=failed`), settledRows);
await page.getByRole("button", { name: "Filters" }).click();
await page.waitForLoadState("networkidle");
await acted(
  "calls: another status",
  () => page.getByLabel("Status", { exact: true }).selectOption("aborted"),
  async () => {
    await page.waitForURL("**status=aborted**");
    await settledRows();
  },
);
await acted(
  "calls: open one",
  () => page.locator("tbody tr td a").first().click(),
  () => page.getByRole("heading", { name: "Timeline" }).waitFor(),
);
await page.keyboard.press("Escape");
await go(page, "/calls?everyone=true&live=true");
await scrolled("calls followed live while scrolling");
for (const [range, step] of [
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["12m", "12 months"],
]) {
  await loaded(`usage of everybody, ${step}`, `/usage?everyone=true&range=${range}`, "figure .recharts-surface");
}
await scrolled("usage while scrolling");
await page.evaluate(() => window.scrollTo(0, 0));
const drawn = async () => {
  await page.waitForLoadState("networkidle");
  await page.locator("figure .recharts-surface").first().waitFor();
};
await acted("usage: by user", () => page.getByLabel("By", { exact: true }).selectOption("user"), drawn);
await acted("usage: tokens", () => page.getByLabel("Measure").selectOption("tokens"), drawn);
await loaded("models", "/models", "main .card");
await loaded("status", "/status", "main h2");
if (process.env.SHOTS) {
  await go(page, "/usage?everyone=true&range=90d");
  await drawn();
  await look(page, "scale-usage");
  await page.getByRole("heading", { name: "Top" }).scrollIntoViewIfNeeded();
  await page.evaluate(() => window.scrollBy(0, 500));
  await look(page, "scale-usage-top");
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await look(page, "scale-usage-end");
  await go(page, "/calls?everyone=true");
  await look(page, "scale-calls");
  await go(page, "/");
  await look(page, "scale-home");
}
await browser.close();
console.log(`${busy().toFixed(1)} times as much to do as the machine can`);
const slow = results.filter(([, , ms, most]) => ms > most);
for (const [what, kind, ms, most] of slow)
  console.log(`TOO SLOW ${what}: ${Math.round(ms)} ms, ${kind} at most ${Math.round(most)}`);
for (const c of complaints) console.log(`COMPLAINT ${c}`);
process.exit(slow.length > 0 || complaints.length > 0 ? 1 : 0);
