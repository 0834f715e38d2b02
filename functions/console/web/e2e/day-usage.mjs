// Looking at what was called: home, usage with its charts, the call log with its filters and exports, prices compared, models' status.
import { readFileSync } from "node:fs";
import { go, look, must, settled } from "./browser.mjs";
import { begin, run } from "./steps.mjs";

const refusals = ["/v1/chat/completions", "/payload", "404 (Not Found)"];
const day = await begin({ expected: refusals });
const { page, api, call, model } = day;
const name = process.env.MODEL;
const button = (text, exact = false) => page.getByRole("button", { name: text, exact });

await run(day, [
  [
    "calls of several kinds are made",
    async () => {
      for (const [other, input, output] of [
        ["gpt-4.1", "4", "16"],
        ["gpt-4.1-mini", "0.8", "3.2"],
      ])
        await api("PUT", "/api/admin/rates", {
          provider: "openai",
          model: other,
          type: "chatCompletion",
          usd_per_million: { input, output },
          cost_usd_per_million: { input: "1", output: "4" },
          reason: "test",
        });
      await api("POST", "/api/admin/capture/rules", { users_see: true });
      await page.waitForTimeout(2000);
      for (let i = 0; i < 6; i++) {
        const { status, text } = await call({ messages: [{ role: "user", content: `Question ${i}` }] });
        must(status === 200, `${status} ${text}`);
      }
      await call({ stream: true });
      await call({ model: "openai/gpt-4.1-mini" }); // which the vendor does not have
    },
  ],
  [
    "home says what is left, what was spent and how the day goes",
    async () => {
      await go(page, "/");
      await page.getByText("Spent in the last 30 days").waitFor();
      await page.getByRole("img", { name: "Day by day" }).waitFor();
      await page.getByRole("heading", { name: "The last 24 hours" }).waitFor();
      await look(page, "home");
    },
  ],
  [
    "usage shows what was called, told apart as one wants",
    async () => {
      await go(page, "/usage");
      await page.locator(".recharts-surface").first().waitFor();
      await look(page, "usage");
      await page.getByLabel("Measure").selectOption("calls");
      await page.waitForURL("**measure=calls**");
      await page.locator("figure").first().getByRole("button", { name: "Show as table" }).click();
      const table = page.getByRole("region", { name: "Calls over time, by Model" });
      await table.getByText("7", { exact: true }).first().waitFor();
      await page.locator("figure").first().getByRole("button", { name: "Show as chart" }).click();
      await button("API key", true).click();
      await page.waitForURL("**by=key**");
      await page.getByLabel("Range of time").selectOption("24h");
      await page.waitForURL("**range=24h**");
      must((await page.getByLabel("Points").inputValue()) === "hour", "a day is not shown by the hour");
      await settled(page);
      await page.locator(".recharts-surface").first().waitFor();
      await look(page, "usage-hours");
      await page.reload();
      await settled(page);
      must((await page.getByLabel("Measure").inputValue()) === "calls", "the measure is not in the address");
    },
  ],
  [
    "a row of the top leads to its own usage, and an admin sees everybody and the money",
    async () => {
      await go(page, "/usage");
      await page.getByRole("link", { name: model }).first().click();
      await page.waitForURL("**model=**");
      await page.getByRole("button", { name: `Model ${name}` }).click();
      await page.waitForURL((u) => !u.search.includes("model="));
      await page.getByLabel("Whose").selectOption("all");
      await page.waitForURL("**everyone=true**");
      await page.getByLabel("By", { exact: true }).selectOption("user");
      await page.getByLabel("Measure").selectOption("margin");
      await settled(page);
      await page.getByRole("link", { name: "owner@example.com" }).first().waitFor();
      await page.evaluate(() => window.scrollTo(0, 600));
      await look(page, "usage-everyone");
      await page.getByRole("heading", { name: "Latency" }).scrollIntoViewIfNeeded();
      await look(page, "usage-latency");
    },
  ],
  [
    "days of one's own are asked for by the day of one's zone",
    async () => {
      await page.getByLabel("Range of time").selectOption("custom");
      await page.getByLabel("From", { exact: true }).fill("2020-01-01");
      await page.getByLabel("Until", { exact: true }).fill("2020-01-31");
      await page.getByText("No calls in this range").first().waitFor();
      must(page.url().includes("from=2020-01-01"), "the days are not in the address");
      await look(page, "usage-empty");
    },
  ],
  [
    "calls are filtered by what the address says",
    async () => {
      await go(page, "/calls");
      const rows = page.locator("tbody tr");
      must((await rows.count()) >= 7, `${await rows.count()} calls`);
      await button("Filters").click();
      await page.getByLabel("Status", { exact: true }).selectOption("success");
      await page.waitForURL("**status=success**");
      await page.getByLabel("Model begins with").fill(name);
      await page.waitForURL("**model=**");
      await settled(page);
      await look(page, "calls-filters");
      await page.getByLabel("Duration", { exact: true }).selectOption("60");
      await page.getByText("Nothing matches").waitFor();
      await page.reload();
      await page.getByText("Nothing matches").waitFor();
      await button("Clear", true).click();
      await page.waitForURL((u) => !u.search.includes("slow="));
      const id = await page.getByRole("link", { name: model }).first().getAttribute("href");
      await page.getByLabel("Search calls").fill(new URL(id, page.url()).searchParams.get("call"));
      await page.waitForURL("**q=**");
      await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
      await page.getByLabel("Search calls").fill("");
      await page.waitForURL((u) => !u.search.includes("q="));
    },
  ],
  [
    "a call shows its way, its price, what was kept, and how to make it again",
    async () => {
      await go(page, "/calls?status=success");
      await page.getByRole("link", { name: model }).nth(1).click();
      await page.getByRole("heading", { name: "Timeline" }).waitFor();
      await page.getByText("To the first byte").waitFor();
      await page.getByText("Charged").waitFor();
      must((await page.getByRole("dialog").innerText()).includes("$AIGNE_HUB_KEY"), "the line does not read the key");
      await look(page, "call");
      await button("Show what was kept").click();
      await page.getByText("Kept until").waitFor();
      must((await page.getByRole("dialog").innerText()).includes(`-d '{"model"`), "the request that was kept is not sent again");
      await page.getByRole("heading", { name: "Call again" }).scrollIntoViewIfNeeded();
      await look(page, "call-kept");
      await page.keyboard.press("Escape");
      await page.waitForURL((u) => !u.search.includes("call="));
    },
  ],
  [
    "calls are exported as they are filtered",
    async () => {
      await button("Export").click();
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("menuitem", { name: "CSV" }).first().click(),
      ]);
      const text = readFileSync(await file.path(), "utf8");
      must(text.split("\n").length >= 8, `an export of ${text.split("\n").length} lines`);
      must(!text.includes("gpt-4.1-mini"), "the filter does not count");
      await page.getByText("The file is saved").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
      await button("Export").click();
      await page.getByRole("menuitem", { name: "Exports" }).click();
      await button("Write CSV in the background").click();
      await page.getByRole("link", { name: "File 1 of 1" }).waitFor();
      await look(page, "exports");
      await page.keyboard.press("Escape");
    },
  ],
  [
    "the log is followed",
    async () => {
      await go(page, "/calls?live=true");
      const made = await page.locator("tbody tr").count();
      await call();
      await page.waitForFunction((n) => document.querySelectorAll("tbody tr").length === n + 1, made);
      await look(page, "calls");
    },
  ],
  [
    "models are found, put in order and compared with an example",
    async () => {
      await go(page, "/models");
      await look(page, "models");
      await page.getByLabel("Order").selectOption("output");
      await page.waitForURL("**sort=output**");
      await settled(page);
      must((await page.locator("tbody tr").first().innerText()).includes("mini"), "the cheapest is not first");
      await page.getByLabel("Compare openai/gpt-4.1", { exact: true }).check();
      await page.getByLabel("Compare openai/gpt-4.1-mini").check();
      await page.getByLabel(`Compare ${model}`).check();
      await look(page, "models-chosen");
      await button("Compare", true).click();
      await page.getByRole("heading", { name: "Compare models" }).waitFor();
      await page.getByLabel("Tokens of the prompt").fill("1000");
      await page.getByLabel("Tokens of the answer").fill("1000");
      await page.getByLabel("Calls", { exact: true }).fill("1000");
      const cheapest = page.locator("tr", { hasText: "1,000 calls" }).locator("td", { hasText: "Cheapest" });
      must((await cheapest.innerText()).startsWith("4.00"), `the cheapest is ${await cheapest.innerText()}`);
      await look(page, "models-compare");
      await page.reload();
      await page.getByRole("heading", { name: "Compare models" }).waitFor();
      await settled(page);
      const link = await page.getByRole("link", { name: "Try it" }).first().getAttribute("href");
      must(link.includes("/playground?model=openai%2Fgpt-4.1"), link);
    },
  ],
  [
    "the status says which models answer",
    async () => {
      await go(page, "/status");
      for (let i = 0; i < 12 && !(await page.getByText("One model answers").isVisible()); i++) {
        await page.waitForTimeout(1500);
        await page.reload();
        await settled(page);
      }
      await page.getByText("One model answers").waitFor();
      await look(page, "status");
    },
  ],
]);
