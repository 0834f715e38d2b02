// The console below a Blocklet Server's mount point, which signs people in and says what the app looks like. Run by
// localrun/console_host_test.go.
import { go, hub, launch, look, must, open, settled } from "./browser.mjs";
import { run } from "./steps.mjs";

const browser = await launch();
const page = await open(browser, { expected: ["401", "403"] });
const began = { browser, page };
const theme = () => page.evaluate(() => document.documentElement.dataset.theme);

await run(began, [
  [
    "who is not signed in comes back from the server's sign-in to the page that was asked for",
    async () => {
      await page.context().addCookies([{ name: "nf_lang", value: "ja", url: hub }]);
      await go(page, "/hub/keys");
      must(new URL(page.url()).pathname === "/hub/keys", page.url());
      await page.getByRole("heading", { level: 1, name: "API キー" }).waitFor();
    },
  ],
  [
    "the app's theme is taken over, without a flash after the first time, and gives way to a choice",
    async () => {
      await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
      await page.goto(`${hub}/hub/keys`, { waitUntil: "commit" });
      await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
      await settled(page);
      await page.getByRole("button", { name: "テーマ" }).click();
      await page.getByRole("menuitemradio", { name: "ライト" }).click();
      must((await theme()) === "light", await theme());
      await page.getByRole("button", { name: "テーマ" }).click();
      await page.getByRole("menuitemradio", { name: "アプリに合わせる" }).click();
      must((await theme()) === "dark", await theme());
    },
  ],
  [
    "the profile leaves password and sessions to the server",
    async () => {
      await page.context().addCookies([{ name: "nf_lang", value: "en", url: hub }]);
      await go(page, "/hub/profile");
      await page.getByRole("link", { name: "Open the user centre" }).waitFor();
      must((await page.getByText("Second factor").count()) === 0, "no second factor of the hub's");
      must((await page.getByRole("heading", { name: "Sessions" }).count()) === 0, "no sessions of the hub's");
      await look(page, "host-profile");
      await page.getByRole("button", { name: "Your account" }).click();
      await page.getByRole("menuitem", { name: "Back to Example app" }).waitFor();
      await page.keyboard.press("Escape");
    },
  ],
  [
    "signing out signs out of the app, and does not sign in again by itself",
    async () => {
      await page.getByRole("button", { name: "Your account" }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.getByText("You are signed out.").waitFor();
      const cookies = await page.context().cookies();
      must(!cookies.some((c) => c.name === "login_token"), "the server's cookie is gone");
      await page.waitForTimeout(500);
      must(new URL(page.url()).pathname === "/hub/sign-in", page.url());
      await look(page, "host-out");
    },
  ],
  [
    "whom the hub does not let in is told so, and not sent around for ever",
    async () => {
      await page.getByRole("link", { name: "Sign in with the app" }).click();
      await page.getByText("this hub does not let you in").waitFor();
      await look(page, "host-refused");
    },
  ],
]);
