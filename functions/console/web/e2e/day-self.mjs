// A member's own things: applications, keys, credits, notices, profile, and the palette.
import { go, look, must, settled } from "./browser.mjs";
import { begin, run } from "./steps.mjs";

const day = await begin({ expected: ["409", "404", "400"] });
const { page, api, hub, key, model } = day;

const dialog = () => page.getByRole("dialog");
const submit = (name) => dialog().getByRole("button", { name, exact: true }).click();
let appID = "";

await run(day, [
  [
    "an app is registered, and gets a service key that calls in its name",
    async () => {
      await go(page, "/apps");
      await page.getByText("No apps yet").waitFor();
      await look(page, "apps-none");
      await page.getByRole("button", { name: "Register an app" }).click();
      await dialog().getByLabel("App").fill("Shop assistant");
      await dialog().getByLabel("Address").fill("https://shop.example");
      await submit("Register an app");
      await dialog().getByText("How its calls name it").waitFor();
      appID = new URL(page.url()).searchParams.get("app");
      must(appID.startsWith("app-"), appID);
      await dialog().getByRole("link", { name: "Create service key" }).click();
      await dialog().getByText("It will be a service key").waitFor();
      await dialog().getByLabel("Name").fill("shop server");
      await dialog().getByRole("button", { name: "In 30 days" }).click();
      await submit("Create key");
      await dialog().getByText("Your new key").waitFor();
      const secret = await dialog().locator("code").first().innerText();
      must(secret.startsWith("sk-hub-"), "the key is shown");
      for (const bearer of [secret, key]) {
        const answer = await fetch(`${hub}/v1/chat/completions`, {
          method: "POST",
          headers: {
            Authorization: `Bearer ${bearer}`,
            "Content-Type": "application/json",
            "x-aigne-hub-client-did": "@acme/cli",
          },
          body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }),
        });
        must(answer.ok, `${answer.status} ${await answer.text()}`);
      }
      await dialog().getByRole("button", { name: "I have kept it" }).click();
    },
  ],
  [
    "the app and the one that a call named are listed with their use",
    async () => {
      await go(page, "/apps");
      await page.getByRole("cell", { name: "@acme/cli" }).waitFor();
      await page.getByRole("button", { name: "Shop assistant", exact: true }).waitFor();
      await look(page, "apps");
      await page.getByRole("button", { name: "Shop assistant", exact: true }).click();
      await dialog().getByRole("link", { name: "shop server" }).waitFor();
      await settled(page);
      await look(page, "apps-one");
      await page.keyboard.press("Escape");
    },
  ],
  [
    "a key's facts name its app, and its form restricts it",
    async () => {
      await go(page, "/keys");
      await look(page, "keys");
      await page.getByRole("button", { name: "shop server", exact: true }).click();
      await dialog().getByRole("link", { name: "Shop assistant" }).waitFor();
      await look(page, "keys-one");
      await dialog().getByRole("link", { name: "See the calls" }).click();
      await page.waitForURL("**/calls?key=*");
      await page.locator("tbody tr").first().waitFor();
      await page.goBack();
      await dialog().getByRole("link", { name: "Shop assistant" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Create key" }).click();
      await dialog().getByText("Restrictions and limits").click();
      await dialog().getByLabel("Credits a month").fill("twelve");
      await dialog().getByLabel("Name").fill("ci");
      await submit("Create key");
      await dialog().getByText("must be credits with at most nine decimals").waitFor();
      must((await dialog().getByLabel("Name").inputValue()) === "ci", "what was typed stays");
      await look(page, "keys-form");
      await page.keyboard.press("Escape");
    },
  ],
  [
    "removing an app names what follows, and ends its keys",
    async () => {
      await go(page, `/apps?app=${appID}`);
      await dialog().getByRole("button", { name: "Remove" }).click();
      const ask = page.getByRole("alertdialog");
      await ask.getByText("Its service keys are revoked at once").waitFor();
      await look(page, "apps-remove");
      await ask.getByRole("button", { name: "Remove" }).click();
      await page.getByRole("alertdialog").waitFor({ state: "detached" });
      const { data } = await api("GET", "/api/auth/keys");
      must(data.find((k) => k.name === "shop server").revoked_at, "the key is revoked");
    },
  ],
  [
    "a code is redeemed after one that does not work",
    async () => {
      const made = await api("POST", "/api/billing/codes", { count: 1, amount: "25", batch: "welcome" });
      await go(page, "/credits");
      await page.getByRole("button", { name: "Redeem a code" }).click();
      await dialog().getByLabel("Code").fill("WE-00000-00000-00000-00000");
      await submit("Redeem a code");
      await dialog().getByText("This code is not valid").waitFor();
      await dialog().getByLabel("Code").fill(made.data[0].code);
      await submit("Redeem a code");
      await page.getByText("25.00 credits are yours.").waitFor();
    },
  ],
  [
    "transactions are filtered in the address, and exported so",
    async () => {
      await go(page, "/credits");
      await look(page, "credits");
      await page.locator("main select").selectOption("grant");
      await page.waitForURL(/kind=grant/);
      await settled(page);
      must((await page.getByRole("cell", { name: "Call", exact: true }).count()) === 0, "no calls among grants");
      const href = await page.getByRole("link", { name: "Export CSV" }).getAttribute("href");
      const csv = await (await page.context().request.get(href)).text();
      must(csv.split("\n").length >= 2 && !csv.includes(",charge,"), csv);
      await page.getByRole("tab", { name: "Grants" }).click();
      await settled(page);
      await look(page, "credits-grants");
    },
  ],
  [
    "a shared wallet takes credits and a member",
    async () => {
      await api("POST", "/api/billing/wallets", { name: "Research" });
      await api("PUT", "/api/user/wallets/Research/members/owner@example.com", { manager: true });
      await api("POST", "/api/admin/users", { email: "mia@example.com", role: "member" });
      await go(page, "/credits?tab=wallets");
      await page.getByRole("button", { name: "Give credits" }).click();
      await dialog().getByLabel("Credits").fill("1000");
      await submit("Give credits");
      await dialog().locator("[aria-invalid], [role=alert]").first().waitFor();
      await dialog().getByLabel("Credits").fill("2");
      await submit("Give credits");
      await page.getByText("2.00 credits are now in Research.").waitFor();
      await look(page, "credits-wallets");
      await page.getByRole("button", { name: "Research", exact: true }).click();
      await dialog().getByRole("button", { name: "Add a member" }).click();
      await dialog().last().getByLabel("E-mail").fill("mia@example.com");
      await dialog().last().getByRole("button", { name: "Add a member" }).click();
      await dialog().getByText("mia@example.com").first().waitFor();
      await settled(page);
      await look(page, "credits-wallet");
      await page.keyboard.press("Escape");
    },
  ],
  [
    "notices keep what was chosen",
    async () => {
      await go(page, "/credits?tab=auto");
      await page.getByLabel("Below a number of mine").check();
      await page.getByRole("textbox", { name: "Credits" }).fill("7.5");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Saved").waitFor();
      must((await api("GET", "/api/user/credit/notices")).low_balance === "7.5", "it is kept");
      await look(page, "credits-notices");
    },
  ],
  [
    "a connected app shows what it may do, and is disconnected",
    async () => {
      const begun = await (await fetch(`${hub}/.well-known/service/api/access-key/session`, { method: "POST" })).json();
      await api("POST", "/oauth/connect", { session: begun.id, allow: true });
      await go(page, "/profile");
      const card = page.locator("#connections");
      await card.getByText("Command line").first().waitFor();
      await look(page, "profile");
      await card.scrollIntoViewIfNeeded();
      await look(page, "profile-connections");
      await card.getByRole("button", { name: "Disconnect" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Disconnect" }).click();
      await card.getByText("Disconnected").waitFor();
    },
  ],
  [
    "the palette goes anywhere by the keyboard alone",
    async () => {
      await go(page, "/");
      await page.keyboard.press("Control+k");
      const field = page.getByRole("combobox", { name: "Search and commands" });
      await field.waitFor();
      await look(page, "palette");
      await page.keyboard.type("dark");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
      await page.keyboard.press("Control+k");
      await field.waitFor();
      await page.keyboard.type("gpt-4.1");
      await page.getByRole("option", { name: /gpt-4.1-nano/ }).waitFor();
      await look(page, "palette-found");
      await page.keyboard.press("Escape");
      await field.waitFor({ state: "detached" });
      await page.keyboard.press("g");
      await page.keyboard.press("k");
      await page.waitForURL(/\/keys/);
      await page.keyboard.press("?");
      await dialog().getByText("Keyboard shortcuts").first().waitFor();
      await look(page, "shortcuts");
      await dialog().getByLabel("Single-key shortcuts").uncheck();
      await page.keyboard.press("Escape");
      await dialog().waitFor({ state: "detached" });
      await page.keyboard.press("?");
      await page.waitForTimeout(200);
      must((await dialog().count()) === 0, "single keys are off");
      await page.getByRole("button", { name: "Search and commands" }).click();
      await page.keyboard.type("create key");
      await page.keyboard.press("Enter");
      await page.waitForURL(/make=key/);
      await dialog().getByLabel("Name").waitFor();
      await page.keyboard.press("Escape");
      await page.evaluate(() => {
        delete document.documentElement.dataset.theme;
        localStorage.removeItem("aigne-hub.theme");
      });
    },
  ],
  [
    "what the hub refuses is said in the reader's language",
    async () => {
      await page.evaluate(() => localStorage.setItem("aigne-hub.language", "ja"));
      await go(page, "/credits");
      await page.getByRole("button", { name: "コードを使う" }).click();
      await dialog().getByLabel("コード").fill("WE-00000-00000-00000-00000");
      await submit("コードを使う");
      await dialog().getByText("このコードは無効です").waitFor();
      await look(page, "credits-ja");
    },
  ],
  [
    "signing out from the palette ends the session",
    async () => {
      await page.evaluate(() => localStorage.removeItem("aigne-hub.language"));
      await go(page, "/");
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Search and commands" }).waitFor();
      await page.keyboard.type("sign out");
      await page.keyboard.press("Enter");
      await page.waitForURL(/sign-in/);
    },
  ],
]);
