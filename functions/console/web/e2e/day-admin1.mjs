// An admin's day, first half: how the hub fares, providers, prices, names, limits and the system.

import { go, look, must, settled } from "./browser.mjs";
import { begin, run } from "./steps.mjs";

const day = await begin({ expected: ["status of 400", "status of 404", "status of 409"] });
const { page, api, call, model, owner } = day;
const button = (name) => page.getByRole("button", { name, exact: true });
const dialog = () => page.getByRole("dialog");

await api("POST", "/api/admin/providers", {
  kind: "openai",
  name: "spare",
  display_name: "Spare account",
  base_url: process.env.PROVIDER,
  credential: process.env.PROVIDER_KEY,
});
await api("POST", "/api/admin/providers/spare/credentials", { name: "stale", value: "sk-not-known-there-0000000000000" });
await api("PUT", "/api/admin/rates", {
  provider: "spare",
  model: process.env.MODEL,
  type: "chatCompletion",
  usd_per_million: { input: "2", output: "8" },
  cost_usd_per_million: { input: "3", output: "9" },
  reason: "test",
});
await api("PUT", `/api/admin/users/${encodeURIComponent(owner.email)}/groups`, { groups: ["beta"] });
await page.waitForTimeout(2500);
for (let i = 0; i < 6; i++) await call({ messages: [{ role: "user", content: `Hello number ${i}` }] });

await run(day, [
  [
    "a name is made by keyboard, with a fallback and a rule of its own",
    async () => {
      await go(page, "/admin/routing");
      await page.getByText("No names yet").waitFor();
      await page.getByRole("button", { name: "Add name" }).first().click();
      const d = dialog();
      await d.getByLabel("Name", { exact: true }).fill("smart");
      await d.getByLabel("Target model").fill(model);
      await d.getByRole("button", { name: "Add target" }).click();
      await d.getByLabel("Target model").nth(1).fill(`spare/${process.env.MODEL}`);
      await d.getByLabel(`Weight of ${model}`).fill("3");
      await d.getByRole("button", { name: `Move spare/${process.env.MODEL}`, exact: true }).focus();
      await page.keyboard.press("ArrowDown"); // out of the shared step
      await d.getByText("Step 2 · only when all before failed").waitFor();
      await page.keyboard.press("ArrowUp"); // and back
      must((await d.getByText("Step 2 · only when all before failed").count()) === 0, "the target went back into its step");
      await page.keyboard.press("ArrowDown");
      await d.getByRole("button", { name: "Add rule in front" }).click();
      const first = d.getByRole("region", { name: "Rule 1" });
      await first.getByText("Conditions").click();
      await first.getByLabel("Groups or roles").fill("beta, owner");
      await first.getByLabel("Target model").fill(`spare/${process.env.MODEL}`);
      await look(page, "routing-form");
      await d.getByRole("button", { name: "Add name" }).click();
      await d.waitFor({ state: "detached" });
      await page.getByRole("button", { name: "smart", exact: true }).waitFor();
      const { data } = await api("GET", "/api/admin/aliases");
      must(data[0].rules[0].when.groups.join() === "beta,owner", JSON.stringify(data));
      must(data[0].rules[1].steps.length === 2, JSON.stringify(data));
    },
  ],
  [
    "a target is dragged into another step, and a fault keeps what was typed",
    async () => {
      await page.getByRole("button", { name: "smart", exact: true }).click();
      const rule = dialog().getByRole("region", { name: "Rule 2" });
      await rule
        .getByRole("button", { name: `Move spare/${process.env.MODEL}`, exact: true })
        .dragTo(rule.getByText("Step 1 · calls go to one of these, by weight"));
      must((await rule.getByLabel("Target model").count()) === 2, "both targets are there");
      must((await rule.getByText("Step 2 · only when all before failed").count()) === 0, "they share a step");
      await rule.getByLabel("Target model").nth(1).fill("smart");
      await dialog().getByRole("button", { name: "Save" }).click();
      await dialog().getByRole("alert").waitFor();
      must((await rule.getByLabel("Target model").nth(1).inputValue()) === "smart", "what was typed stays");
      await rule.getByLabel("Target model").nth(1).fill(`spare/${process.env.MODEL}`);
      await dialog().getByRole("button", { name: "Save" }).click();
      await dialog().waitFor({ state: "detached" });
      await page.waitForTimeout(2000);
      await settled(page);
      await look(page, "routing");
    },
  ],
  [
    "a plan is explained for anybody, and for a user in a group",
    async () => {
      await page.getByRole("tab", { name: "Try a name" }).click();
      await page.getByLabel("Model", { exact: true }).fill("smart");
      await button("Show the plan").click();
      await page.getByText("alias smart, rule 2").waitFor();
      await page.getByLabel("User", { exact: true }).fill(owner.email);
      await button("Show the plan").click();
      await page.getByText("alias smart, rule 1").waitFor();
      await page.getByText("(owner, beta)").waitFor();
      must(page.url().includes("user="), "what is asked is in the address");
      await look(page, "routing-try");
      await page.getByLabel("Model", { exact: true }).fill("no-such-model");
      await button("Show the plan").click();
      await page.getByRole("alert").waitFor();
    },
  ],
  [
    "a limit is set, seen with its use, changed and removed",
    async () => {
      await go(page, "/admin/limits");
      await page.getByRole("button", { name: "Add limit" }).click();
      await dialog().getByLabel("User", { exact: true }).fill("nobody@example.com");
      await dialog().getByLabel("Limit", { exact: true }).fill("25");
      await dialog().getByRole("button", { name: "Add limit" }).click();
      await dialog().getByText("There is no user with the e-mail address nobody@example.com.").waitFor();
      await dialog().getByLabel("User", { exact: true }).fill(owner.email);
      await dialog().getByRole("button", { name: "Add limit" }).click();
      await dialog().waitFor({ state: "detached" });
      await page.getByText(owner.email).first().waitFor();
      for (const [scope, subject, metric, period, amount] of [
        ["key", "*", "requests", "minute", "60"],
        ["model", model, "tokens", "day", "1000"],
        ["model", "*", "concurrency", "", "20"],
      ])
        await api("PUT", "/api/admin/limits", { scope, subject, metric, period, amount });
      await page.waitForTimeout(2000);
      await call();
      await go(page, "/admin/limits");
      await page.getByText("Each key by itself").waitFor();
      await look(page, "limits");
      await page.getByLabel("Bound is").selectOption("key");
      await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
      must(page.url().includes("scope=key"), "the filter is in the address");
      await page.getByRole("button", { name: /^Actions for/ }).click();
      await page.getByRole("menuitem", { name: "Change limit" }).click();
      await dialog().getByLabel("Limit a minute").fill("90");
      await look(page, "limits-form");
      await dialog().getByRole("button", { name: "Save" }).click();
      await page.getByText("90 requests").waitFor();
      await page.getByRole("button", { name: /^Actions for/ }).click();
      await page.getByRole("menuitem", { name: "Remove" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await page.getByText("No limits like that").waitFor();
    },
  ],
  [
    "a provider is tried, changed and switched off, and a credential replaced",
    async () => {
      await go(page, "/admin/providers?name=spare");
      await dialog().getByRole("button", { name: "Test" }).click();
      await dialog().getByText("Refused").waitFor();
      await dialog().getByLabel("Model", { exact: true }).fill(process.env.MODEL);
      await dialog().getByRole("button", { name: "Call", exact: true }).click();
      await dialog().getByText("Answered").waitFor();
      await look(page, "provider");
      await dialog().getByRole("button", { name: "Actions for stale" }).click();
      await page.getByRole("menuitem", { name: "Replace value" }).click();
      const replace = page.getByRole("dialog", { name: "Replace the value of stale" });
      await replace.getByLabel("API key").fill(process.env.PROVIDER_KEY);
      await replace.getByRole("button", { name: "Replace value" }).click();
      await page.getByText("The new value is in use.").waitFor();
      await dialog().first().getByRole("button", { name: "Edit", exact: true }).click();
      const edit = page.getByRole("dialog", { name: "Edit provider" });
      await edit.getByLabel("Shown as").fill("Second account");
      await edit.getByLabel("Whole call").fill("never");
      await edit.getByRole("button", { name: "Save" }).click();
      await edit
        .getByText(/time-out|duration|never/)
        .first()
        .waitFor();
      await edit.getByLabel("Whole call").fill("5m");
      await look(page, "provider-edit");
      await edit.getByRole("button", { name: "Save" }).click();
      await edit.waitFor({ state: "detached" });
      await page.getByRole("heading", { name: "Second account" }).waitFor();
      await dialog().getByRole("button", { name: "Switch off" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Switch off" }).click();
      await dialog().getByText("This provider is switched off: no call goes to it.").waitFor();
      await dialog().getByRole("button", { name: "Switch on" }).click();
      await dialog().getByText("This provider is switched off: no call goes to it.").waitFor({ state: "detached" });
    },
  ],
  [
    "jobs run by hand, and keys rotate",
    async () => {
      await go(page, "/admin/system");
      await page.getByText("A file of the hub's own").waitFor();
      await look(page, "system");
      await page.getByRole("tab", { name: "Jobs" }).click();
      await page.getByRole("button", { name: "Run now: admin.alerts" }).click();
      await page.getByText("admin.alerts is done.").waitFor();
      await settled(page);
      await look(page, "system-jobs");
      await page.getByRole("tab", { name: "Vault keys" }).click();
      await page.getByRole("button", { name: "Rotate keys" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Rotate keys" }).click();
      await page.getByText("Retired").waitFor({ timeout: 30_000 });
      await settled(page);
      await look(page, "system-keys");
      await page.getByRole("tab", { name: "Backups" }).click();
      await page.getByText("aigne-hub backup", { exact: true }).waitFor();
      await look(page, "system-backups");
    },
  ],
  [
    "the overview says what needs a hand and leads there",
    async () => {
      await go(page, "/admin");
      await page.getByText("Calls in flight").waitFor();
      await page.getByText(/price.* a look/).waitFor();
      await look(page, "overview");
      await page.getByRole("tab", { name: "30 days" }).click();
      await page.waitForFunction(() => location.search.includes("days=30"));
      await settled(page);
      await page.getByRole("link", { name: /price.* a look/ }).click();
      await page.getByRole("heading", { name: "Models and rates" }).waitFor();
    },
  ],
  [
    "what the catalogue says differently is shown as a difference, and taken over",
    async () => {
      await go(page, "/admin/rates?tab=proposals");
      await page.getByRole("button", { name: "Compare with the catalogue" }).click();
      await page.locator("tbody tr").first().waitFor();
      await settled(page);
      await look(page, "proposals");
      await page.getByRole("button", { name: "Apply all" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Apply all" }).click();
      await page.getByRole("alertdialog").waitFor({ state: "detached" });
      await page.getByText("No open proposals").waitFor();
    },
  ],
]);
