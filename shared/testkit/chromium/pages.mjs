// Takes a user through the sign-in, the consent and the device page in Chromium, at
// two widths and in both themes. Says what it saw as JSON lines; with SHOTS it
// leaves pictures there.
import puppeteer from "puppeteer-core";

const { chromium, origin, email, password, authorize, devices, connects, denied, shots } = JSON.parse(process.env.PLAN);
const say = (line) => console.log(JSON.stringify(line));
const browser = await puppeteer.launch({ executablePath: chromium, headless: true, args: ["--no-sandbox", "--disable-gpu", "--lang=en-US"] });

async function visit(width, theme, language, work) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (fault) => faults.push("error: " + fault.message));
  page.on("console", (message) => {
    // What a status of 4xx is worth, the page itself says.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) faults.push("console: " + message.text());
  });
  await page.setExtraHTTPHeaders({ "Accept-Language": language });
  await page.evaluateOnNewDocument((value) => Object.defineProperty(navigator, "languages", { get: () => [value] }), language);
  await page.setViewport({ width, height: 900, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  const look = async (name) => {
    await new Promise((resolve) => setTimeout(resolve, 150));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) faults.push(`${name} is ${wide} px too wide`);
    if (shots) await page.screenshot({ path: `${shots}/${name}-${width}-${theme}-${language}.png`, fullPage: true });
  };
  try {
    await work(page, look);
  } catch (fault) {
    faults.push(`${page.url().split(/[?#]/)[0]}: ${fault.message}`);
  }
  await context.close();
  return faults;
}

async function signIn(page, look) {
  await page.waitForSelector("#login:not([hidden])", { timeout: 10_000 });
  await look("sign-in");
  await page.type("input[name=email]", email);
  await page.type("#login input[name=password]", password);
  await Promise.all([page.waitForNavigation(), page.click("#login button")]);
}

const text = (page, selector) => page.$eval(selector, (element) => element.textContent.trim());

async function done(page) {
  await page.waitForSelector("#message.done:not([hidden])", { timeout: 10_000 });
  return text(page, "#message");
}

const settings = [[1440, "light", "en"], [1440, "dark", "ja"], [390, "light", "zh-CN"], [390, "dark", "zh-TW"], [390, "light", "en"], [1440, "light", "zh-CN"]];
for (const [i, [width, theme, language]] of settings.entries()) {
  const saw = {};
  saw.faults = await visit(width, theme, language, async (page, look) => {
    await page.goto(origin + authorize);
    await signIn(page, look);
    await page.waitForSelector("#consent:not([hidden])", { timeout: 10_000 });
    saw.asked = await text(page, "#title");
    saw.user = await text(page, "#user");
    await look("consent");
    await page.type("input[name=budget_month]", "5");
    await Promise.all([page.waitForNavigation(), page.click("#consent button[type=submit]")]);
    saw.back = page.url();

    await page.goto(origin + "/oauth/device");
    await look("device");
    await page.type("input[name=user_code]", devices[i].toLowerCase());
    await page.click("#code button");
    await page.waitForSelector("#consent:not([hidden])", { timeout: 10_000 });
    await look("device-consent");
    await page.click("#consent button[type=submit]");
    saw.device = await done(page);
    await look("device-done");

    await page.goto(origin + connects[i]);
    await page.waitForSelector("#consent:not([hidden])", { timeout: 10_000 });
    saw.hidden = page.url() === origin + "/oauth/connect";
    await look("connect");
    await page.click("#deny");
    saw.connect = await done(page);

    await page.goto(origin + denied);
    await page.waitForSelector("#message:not([hidden])");
    saw.fault = await text(page, "#message");
    await look("fault");
  });
  say({ width, theme, language, ...saw });
}

// Where there is no way back to, nobody is taken anywhere.
const away = {};
away.faults = await visit(1440, "light", "en", async (page, look) => {
  await page.goto(origin + "/api/auth/sign-in#return=" + encodeURIComponent("//evil.example/"));
  await signIn(page, look);
  away.back = page.url();
});
say({ width: 0, ...away });
await browser.close();
