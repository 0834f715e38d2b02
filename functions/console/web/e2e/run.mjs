// The console over a running hub with a fake provider: set-up to first call, an admin's and a member's day, four languages,
// a phone, the keyboard. Run by localrun/console_test.go, which starts the hub.
import { accessible, complaints, go, launch, look, must, open, settled } from "./browser.mjs";

const owner = { email: "owner@example.com", password: "a long enough password" };
const member = { email: "member@example.com", password: "another long password" };
const model = process.env.MODEL;

const steps = [];
const step = (name, run) => steps.push([name, run]);
const button = (page, name, exact = false) => page.getByRole("button", { name, exact });

// What the tests provoke; browsers write each refusal to the console.
const refusals = [
  "401 (Unauthorized)",
  "403 (Forbidden)",
  "400 (Bad Request)",
  `404 (Not Found) ${process.env.HUB}/nowhere`,
  "/providers/openai/test",
];

let browser;
let page;
let key;

step("a new hub leads to its set-up", async () => {
  page = await open(browser, { expected: refusals });
  await go(page, "/calls?from=2026-01-01");
  await page.waitForURL("**/setup");
  await look(page, "setup");
  await page.goto("about:blank"); // a change of the fragment alone loads nothing
  await go(page, `/setup#token=${process.env.TOKEN}`);
  await page.waitForFunction(() => location.hash === "");
  must((await page.getByLabel("Set-up token").inputValue()) === process.env.TOKEN, "the token of the link is not taken over");
});

step("what was typed stays when the set-up is refused", async () => {
  await page.getByLabel("Set-up token").fill("setup-wrong");
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await button(page, "Create owner account").click();
  await page.getByText("The set-up token is wrong or used up").waitFor();
  must((await page.getByLabel("E-mail").inputValue()) === owner.email, "the address is gone");
  must((await page.getByLabel("Password").inputValue()) === owner.password, "the password is gone");
  await accessible(page, "setup refused");
  await page.getByLabel("Set-up token").fill(process.env.TOKEN);
  await button(page, "Create owner account").click();
  await page.waitForURL("**/start");
  await settled(page);
});

step("a provider is added and its key is tested live", async () => {
  await look(page, "start-new");
  await page.getByLabel("API key").fill("sk-wrong");
  await page.getByText("More settings").click();
  await page.getByLabel("Base URL").fill(process.env.PROVIDER);
  await button(page, "Add provider").click();
  await page.getByText("Refused").waitFor();
  await go(page, "/admin/providers?name=openai");
  await button(page, "Add credential").click();
  await page.getByLabel("Name", { exact: true }).fill("good");
  await page.getByLabel("API key").fill(process.env.PROVIDER_KEY);
  await page.getByRole("dialog").last().getByRole("button", { name: "Add credential" }).click();
  await page.getByText("good", { exact: true }).waitFor();
  await button(page, "Actions for default").click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await page.getByText("The hub forgets its value for good").waitFor();
  await accessible(page, "confirm");
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("alertdialog").waitFor({ state: "hidden" });
  await page.waitForTimeout(2500); // a change works within two seconds
  await button(page, "Test", true).click();
  await page.getByText("Accepted").waitFor();
  await look(page, "provider");
  await go(page, "/start");
  await button(page, "Test", true).click();
  await page.getByText("Accepted").waitFor();
});

step("models are priced from the catalogue", async () => {
  await page.getByLabel("Search the catalogue").fill(model);
  await page.getByRole("checkbox", { name: model }).first().check();
  await page.getByLabel("Margin in %").fill("20");
  await button(page, "Price one model").click();
  await page.getByText(`Priced: openai/${model}`).waitFor();
});

step("a key is made and the first call answers", async () => {
  if (await page.getByLabel("Name", { exact: true }).isVisible()) await button(page, "Create key").click(); // the first key is gone with a reload
  await page.getByText("Keep it: it is shown only until you leave this page.").waitFor();
  key = await page.locator("code").first().textContent();
  for (const client of ["OpenAI", "Anthropic", "Gemini", "Vercel AI", "LangChain", "Claude Code", "Codex", "AIGNE", "curl"]) {
    await page.getByRole("tab", { name: client, exact: true }).click();
    must((await page.locator("pre").innerText()).includes(`openai/${model}`), `${client} does not say the model`);
  }
  await button(page, "Call it from here").click();
  await page.getByText("Your hub works: a call has arrived.").waitFor();
  await look(page, "start-done");
});

step("the call is there with its attempts and its price", async () => {
  await page.getByRole("link", { name: "See the calls" }).click();
  await settled(page);
  await page
    .getByRole("link", { name: `openai/${model}` })
    .first()
    .click();
  await page.getByRole("heading", { name: "Attempts" }).waitFor();
  await page.getByText("Charged").waitFor();
  must(page.url().includes("call="), "the call is not in the address");
  await look(page, "call");
  await page.keyboard.press("Escape");
  await page.waitForURL((u) => !u.search.includes("call="));
  await page.getByLabel("Live").check();
  const made = await page.evaluate(() => document.querySelectorAll("tbody tr").length);
  await page.evaluate(
    ([key, model]) =>
      fetch(new URL("v1/chat/completions", document.baseURI), {
        method: "POST",
        headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
        body: JSON.stringify({ model, messages: [{ role: "user", content: "Once more" }] }),
      }),
    [key, `openai/${model}`],
  );
  await page.waitForFunction((n) => document.querySelectorAll("tbody tr").length === n + 1, made);
  await page.getByLabel("Live").uncheck();
  await page.getByLabel("Range of time").selectOption("custom");
  await page.getByLabel("From", { exact: true }).fill("2020-01-01");
  await page.getByLabel("Until", { exact: true }).fill("2020-01-02");
  await page.getByText("Nothing matches").waitFor();
  must(page.url().includes("from=2020-01-01"), "the filter is not in the address");
  await page.reload();
  await page.getByText("Nothing matches").waitFor();
});

step("keys are made with limits, changed, rotated and revoked", async () => {
  await go(page, "/keys");
  await button(page, "Create key").click();
  await page.getByLabel("Name", { exact: true }).fill("limited");
  await page.getByText("Restrictions and limits").click();
  await page.getByLabel("Models", { exact: true }).first().fill("openai/*");
  await page.getByLabel("Requests a minute").fill("60");
  await page.getByLabel("Credits a day").fill("lots");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.locator('[aria-invalid="true"]').waitFor();
  must((await page.getByLabel("Requests a minute").inputValue()) === "60", "what was typed is gone");
  await look(page, "key-form");
  await page.getByLabel("Credits a day").fill("0.000000001");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByText("Your new key").waitFor();
  await look(page, "key-shown");
  await page.keyboard.press("Escape");
  must(await page.getByText("Your new key").isVisible(), "the key goes away by accident");
  await button(page, "I have kept it").click();
  await page.getByRole("button", { name: "limited", exact: true }).click();
  await page.getByText("Use of the last 30 days").waitFor();
  await look(page, "key");
  await page.keyboard.press("Escape");
  await button(page, "Actions for limited").click();
  await page.getByRole("menuitem", { name: "Rotate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
  await page.getByText("The old secret works until").waitFor();
  await button(page, "I have kept it").click();
  await button(page, "Actions for limited").click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  must((await page.getByLabel("Requests a minute").inputValue()) === "60", "the limit is not in the form");
  await page.getByLabel("Name", { exact: true }).fill("renamed");
  await button(page, "Save").click();
  await page.getByRole("button", { name: "renamed", exact: true }).waitFor();
  await button(page, "Actions for renamed").click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("Revoked").waitFor();
  await look(page, "keys");
});

step("pages that no other day looks at show themselves in both themes, on a desk and on a phone", async () => {
  for (const [path, name] of [
    ["/credits?tab=receipts", "receipts"],
    ["/admin/rates", "rates"],
    ["/admin/rates?tab=history", "history"],
    ["/admin/audit", "audit"],
    ["/nowhere", "missing"],
  ]) {
    await go(page, path);
    await look(page, name);
  }
});

step("rates are edited by hand and repriced after a look", async () => {
  await go(page, "/admin/rates");
  await page.getByRole("button", { name: model, exact: true }).click();
  await page.getByLabel("Price per million: Input", { exact: true }).waitFor();
  await look(page, "rate");
  await page.keyboard.press("Escape");
  await button(page, "Reprice").click();
  await page.getByLabel("Margin in %").fill("50");
  await button(page, "Preview").click();
  await button(page, "Change one price").click();
  await page.getByText("One price changed.").waitFor();
  await go(page, "/admin/audit");
  await page.getByRole("button", { name: "rate.", exact: false }).first().click();
  await page.getByText("What changed").waitFor();
  await look(page, "act");
});

let link;
step("a member is invited by a link, and is given credits", async () => {
  await go(page, "/admin/users");
  await button(page, "Invite").click();
  await page.getByRole("dialog").getByLabel("E-mail").fill(member.email);
  await page.getByRole("dialog").getByRole("button", { name: "Invite" }).click();
  await page.getByText("Pass it on yourself").waitFor();
  link = await page.getByRole("dialog").locator("code").innerText();
  await button(page, "I have copied it").click();
});

step("the member accepts and sees what members see", async () => {
  const other = await open(browser, { width: 390, height: 844, expected: refusals });
  await other.goto(link);
  await settled(other);
  await other.getByText(owner.email).waitFor();
  must(!other.url().includes("invitation"), "the token stays in the address");
  await look(other, "invited");
  await other.getByLabel("Name").fill("Mei");
  await other.getByLabel("Password").fill(member.password);
  await button(other, "Accept invitation").click();
  await other.getByRole("heading", { name: "Hello, Mei" }).waitFor();
  await settled(other);
  await look(other, "member-home");
  await other.getByRole("button", { name: "More" }).click();
  must(!(await other.getByRole("link", { name: "Providers" }).isVisible()), "a member sees the admins' places");
  await other.keyboard.press("Escape");
  await go(other, "/admin/users");
  await other.getByRole("heading", { name: "Hello, Mei" }).waitFor();

  await go(page, "/admin/users");
  await button(page, `Actions for ${member.email}`).click();
  await page.getByRole("menuitem", { name: "Grant credits" }).click();
  await page.getByRole("textbox", { name: "Credits" }).fill("12.5");
  await page.getByLabel("Reason").fill("welcome aboard");
  await page.getByRole("dialog").getByRole("button", { name: "Grant credits" }).click();
  await page.getByText("has 12.5 credits more").waitFor();
  await go(other, "/credits");
  await other.getByText("12.50").first().waitFor();
  await other.getByText("welcome aboard").waitFor();
  await look(other, "member-credits");
  await other.context().close();
});

step("four languages are whole, and each is remembered", async () => {
  for (const [name, tag, home] of [
    ["简体中文", "zh-CN", "首页"],
    ["繁體中文", "zh-TW", "首頁"],
    ["日本語", "ja", "ホーム"],
  ]) {
    await go(page, "/");
    await page.locator("header button[aria-haspopup=menu]").nth(0).click();
    await page.getByRole("menuitemradio", { name }).click();
    await page.getByRole("link", { name: home, exact: true }).waitFor();
    must((await page.locator("html").getAttribute("lang")) === tag, `the page does not say that it is in ${tag}`);
    for (const [path, picture] of [
      ["/", "home"],
      ["/usage", "usage"],
      ["/playground", "playground"],
      ["/keys", "keys"],
      ["/profile", "profile"],
      ["/admin/providers", "providers"],
      ["/admin/routing?tab=try", "routing"],
      ["/admin/credits", "wallets"],
      ["/admin/alerts?tab=rules", "alerts"],
      ["/admin/system?tab=backups", "backups"],
    ]) {
      await go(page, path);
      await look(page, `${tag}-${picture}`, { access: false });
    }
  }
  await page.locator("header button[aria-haspopup=menu]").nth(0).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await page.getByRole("link", { name: "Home", exact: true }).waitFor();
});

step("the profile is saved, and a second factor can be begun", async () => {
  await go(page, "/profile");
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel("Time zone").selectOption("Asia/Tokyo");
  await button(page, "Save").click();
  await page.getByText("Saved").waitFor();
  await button(page, "Set up a second factor").click();
  await page.getByRole("dialog").getByLabel("Current password").fill(owner.password);
  await button(page, "Continue").click();
  await page.getByRole("img", { name: "QR code" }).waitFor();
  await look(page, "factor");
  await page.keyboard.press("Escape");
});

step("one signs in and out by keyboard alone", async () => {
  await go(page, "/admin/users");
  await button(page, "Your account").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sign-in*");
  await settled(page);
  await look(page, "sign-in");
  await go(page, "/admin/users?tab=invitations");
  await page.waitForURL("**/sign-in?to=*");
  await settled(page);
  await page.getByLabel("E-mail").focus();
  await page.keyboard.type(owner.email);
  await page.keyboard.press("Tab");
  await page.keyboard.type("wrong password");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  must((await page.getByLabel("E-mail").inputValue()) === owner.email, "the address is gone");
  await page.getByLabel("Password").fill(owner.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/admin/users?tab=invitations");
  await settled(page);
  await go(page, "/sign-in#return=/api/auth/me"); // of one of the hub's own pages
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/api/auth/me");
  await go(page, "/admin/users?tab=invitations");
  await look(page, "invitations");
  await page.keyboard.press("Tab");
  await go(page, "/");
  await page.keyboard.press("Tab");
  must(
    await page.evaluate(() => document.activeElement?.getAttribute("href")?.endsWith("#content")),
    "the first stop is not the way to the content",
  );
});

browser = await launch();
let failed = false;
const only = process.env.STOP_AFTER;
for (const [name, run] of steps) {
  const began = Date.now();
  try {
    await run();
    console.log(`ok   ${name} (${Date.now() - began} ms)`);
  } catch (fault) {
    failed = true;
    console.log(`FAIL ${name}: ${fault.stack}`);
    if (process.env.SHOTS) await page?.screenshot({ path: `${process.env.SHOTS}/fault.png` });
    console.log(
      await page
        ?.locator("body")
        .innerText()
        .catch(() => ""),
    );
    break;
  }
  if (only && name.includes(only)) break;
}
await browser.close();
for (const c of complaints) console.log(`COMPLAINT ${c}`);
process.exit(failed || complaints.length > 0 ? 1 : 0);
