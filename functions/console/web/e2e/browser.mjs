// A browser over a running hub that reports what must not happen: errors, refused styles and scripts, requests to others.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const hub = process.env.HUB.replace(/\/$/, "");
const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

/** complaints are what went wrong; a run with any fails. */
export const complaints = [];

const patience = 20_000;
const each = 4_000;

/**
 * askAnew lets waits ask again every four seconds, as long as they would wait: on a busy machine one was seen to hear nothing
 * for twenty from a page that showed what it waited for.
 */
function askAnew(locator) {
  if (locator.waitOnce) return;
  locator.waitOnce = locator.waitFor;
  locator.waitFor = async function (options = {}) {
    const until = Date.now() + (options.timeout ?? patience);
    for (;;) {
      const left = until - Date.now();
      try {
        return await this.waitOnce({ ...options, timeout: Math.max(1, Math.min(each, left)) });
      } catch (fault) {
        if (fault.name !== "TimeoutError" || left <= each) throw fault;
      }
    }
  };
}

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** open makes a person with a window and no session. expected are faults that a test asks for, by a part of their text. */
export async function open(browser, { width = 1440, height = 900, expected = [] } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: "en-US",
    reducedMotion: "reduce",
    baseURL: `${hub}/`,
  });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) =>
      console.error(`policy violated: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`),
    );
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  askAnew(Object.getPrototypeOf(page.locator("body")));
  const say = (what) => {
    if (!expected.some((e) => what.includes(e))) complaints.push(`${page.url()}: ${what}`);
  };
  page.on("console", (m) => m.type() === "error" && say(`${m.text()} ${m.location().url}`));
  page.on("pageerror", (e) => say(String(e)));
  page.on("request", (r) => {
    const own = r.url().startsWith(hub) || r.url().startsWith(`blob:${new URL(hub).origin}/`); // blob: what the page made
    if (!own) say(`a request to ${r.url()}`);
  });
  return page;
}

/** go opens a path of the console and waits until it shows what it has. */
export async function go(page, path) {
  await page.goto(`${hub}${path}`);
  await settled(page);
}

export async function settled(page) {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => !document.querySelector('[role="status"][aria-label], .skeleton'));
  await page.waitForTimeout(150);
}

/** accessible complains about what axe finds serious. */
export async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }),
  );
  for (const v of violations) {
    if (v.impact === "serious" || v.impact === "critical")
      complaints.push(
        `${name}: axe: ${v.id}: ${v.nodes
          .map((n) => `${n.target.join(" ")} ${n.failureSummary ?? ""}`)
          .slice(0, 3)
          .join(" | ")}`,
      );
  }
}

/** fits complains where a page is wider than its window. */
async function fits(page, name) {
  const [inner, scroll] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
  if (scroll > inner) complaints.push(`${name}: ${scroll} px wide in a window of ${inner}`);
}

/**
 * look checks a page on a desk and on a phone, and takes its pictures in both themes if asked. access is left out where only the
 * texts differ from what was looked at before.
 */
export async function look(page, name, { access = true } = {}) {
  const size = page.viewportSize();
  for (const [device, width, height] of [
    ["desktop", 1440, 900],
    ["phone", 390, 844],
  ]) {
    await page.setViewportSize({ width, height });
    for (const theme of ["light", "dark"]) {
      if (!shots && (device === "phone") !== (theme === "dark")) continue; // without pictures, each theme once
      await page.evaluate((t) => {
        document.documentElement.dataset.theme = t;
      }, theme);
      await page.waitForTimeout(120);
      const title = `${name}-${device}-${theme}`;
      await fits(page, title);
      if (access) await accessible(page, title);
      if (shots) await page.screenshot({ path: `${shots}/${title}.png`, fullPage: false });
    }
  }
  await page.evaluate(() => delete document.documentElement.dataset.theme);
  await page.setViewportSize(size);
}

export function must(condition, message) {
  if (!condition) throw new Error(message);
}
