// A hub that sells credits by card: buying, automatic top-ups with the kept card, and the receipt. Run by
// localrun/console_shop_test.go, whose TILL pays at the payment provider's page.
import { go, hub, launch, look, must, open, settled } from "./browser.mjs";
import { run } from "./steps.mjs";

const owner = { email: "owner@example.com", password: "a long enough password" };
const browser = await launch();
const page = await open(browser, { expected: ["400", "a request to"] });
const api = async (method, path, data) => {
  const headers = { "X-Aigne-Hub-Csrf": "1", Origin: new URL(hub).origin };
  const answer = await page.context().request.fetch(`${hub}${path}`, { method, headers, data });
  must(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
};
const dialog = () => page.getByRole("dialog");

// The page of the payment provider: whoever comes there pays, and is sent back.
await page.route(
  (url) => url.origin !== new URL(hub).origin,
  async (route) => {
    if (route.request().resourceType() !== "document") return route.fulfill({ status: 204 });
    const back = await (await fetch(`${process.env.TILL}/?page=${encodeURIComponent(route.request().url())}`)).text();
    return route.fulfill({ contentType: "text/html", body: `<meta http-equiv="refresh" content="0;url=${back}">` });
  },
);

await run({ browser, page }, [
  [
    "credits are bought by card, and are there when the browser comes back",
    async () => {
      await api("POST", "/api/auth/setup", { token: process.env.TOKEN, ...owner });
      await api("POST", "/api/auth/login", owner);
      await go(page, "/credits");
      await page.getByRole("button", { name: "Buy credits" }).click();
      await dialog().getByLabel("Credits", { exact: true }).fill("0.001");
      await dialog().getByLabel("Keep my card").check();
      await dialog().getByRole("button", { name: "Go to payment" }).click();
      await dialog().getByText("credits at once.").waitFor();
      await look(page, "shop-buy");
      await dialog().getByLabel("Credits", { exact: true }).fill("20");
      await dialog().getByRole("button", { name: "Go to payment" }).click();
      await page.waitForURL(/credits\?state=done/);
      await page.getByText("Thank you.").waitFor();
      await page.getByText("20.00").first().waitFor();
      await settled(page);
      await look(page, "shop-bought");
    },
  ],
  [
    "automatic top-ups use the kept card, within a cap",
    async () => {
      await go(page, "/credits?tab=auto");
      await page.getByText("4242").waitFor();
      await page.getByRole("button", { name: "Switch on" }).click();
      await dialog().getByLabel("Buy when fewer credits are left than").fill("5");
      await dialog().getByLabel("Credits bought each time").fill("20");
      await dialog().getByLabel("At most in a calendar month").fill("10");
      await dialog().getByRole("button", { name: "Switch on" }).click();
      await dialog().getByText("The monthly cap must be at least").waitFor();
      await look(page, "shop-auto-form");
      await dialog().getByLabel("At most in a calendar month").fill("100");
      await dialog().getByRole("button", { name: "Switch on" }).click();
      await dialog().waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Switch off" }).waitFor();
      await look(page, "shop-auto");
    },
  ],
  [
    "forgetting the card names what follows, and ends the top-ups",
    async () => {
      await page.getByRole("button", { name: "Forget my card" }).click();
      const ask = page.getByRole("alertdialog");
      await ask.getByText("nothing is bought by itself any more").waitFor();
      await ask.getByRole("button", { name: "Forget my card" }).click();
      await page.getByText("None is kept").waitFor();
      must((await page.getByRole("button", { name: "Switch off" }).count()) === 0, "it is off");
    },
  ],
  [
    "the receipt is listed and opens",
    async () => {
      await page.getByRole("tab", { name: "Receipts" }).click();
      await settled(page);
      const link = page.getByRole("link", { name: /0+1$/ });
      await link.waitFor();
      await look(page, "shop-receipts");
      const text = await (await page.context().request.get(await link.getAttribute("href"))).text();
      must(text.includes("20 credits"), text.slice(0, 300));
    },
  ],
]);
