// An admin's day among people, money and what watches over the hub.

import { go, look, must, settled } from "./browser.mjs";
import { begin, run } from "./steps.mjs";

const day = await begin({ expected: ["400 (Bad Request)", "503 (Service Unavailable)", "404 (Not Found)", "409 (Conflict)"] });
const { page, api, call } = day;
const button = (name, exact = false) => page.getByRole("button", { name, exact });
const dialog = () => page.getByRole("dialog").last();
const inDialog = (name) => dialog().getByRole("button", { name, exact: true });
const mei = "mei@example.com";

/** picture looks at what is a part of a page that is looked at anyway, where pictures are asked for. */
const picture = process.env.SHOTS ? look : async () => {};

/** fake answers a path of the hub's API with what a hub in trouble would say. */
async function fake(path, body) {
  await page.route(
    (url) => url.pathname === path,
    (route) => (route.request().method() === "GET" ? route.fulfill({ json: body }) : route.fallback()),
  );
  return () => page.unroute((url) => url.pathname === path);
}

await run(day, [
  [
    "users are found, and one is seen whole",
    async () => {
      for (const [email, role] of [
        [mei, "member"],
        ["kenji.watanabe@example.com", "member"],
        ["ops.night.shift@example.com", "admin"],
      ])
        await api("POST", "/api/admin/users", { email, role });
      await api("POST", "/api/admin/keys", { user: mei, name: "laptop" });
      await api("PUT", "/api/admin/limits", {
        scope: "user",
        subject: mei,
        metric: "requests",
        period: "minute",
        amount: "60",
      });
      await go(page, "/admin/users");
      await look(page, "a2-users");
      await page.getByLabel("Search by name or e-mail").fill("MEI");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/admin/users?q=MEI");
      await button(mei, true).waitFor();
      await button("kenji.watanabe@example.com", true).waitFor({ state: "hidden" });
      await button(mei, true).click();
      await page.getByText("Requests a minute").waitFor();
      await page.getByText("laptop").waitFor();
      await settled(page);
      await look(page, "a2-user");
      await page.getByRole("link", { name: "Open wallet" }).click();
      await page.waitForURL("**/admin/credits?wallet=*");
      await settled(page);
    },
  ],
  [
    "credits are granted, adjusted, transferred and taken back, each with its reason",
    async () => {
      await button("Grant credits").click();
      await dialog().getByLabel("Credits").fill("25");
      await dialog().getByLabel("Reason").fill("pilot project");
      await inDialog("Grant credits").click();
      await page.getByText("has 25 credits more").waitFor();
      await button("Adjust", true).click();
      await dialog().getByLabel("Direction").selectOption("down");
      await dialog().getByLabel("Credits").fill("a lot");
      await dialog().getByLabel("Reason").fill("counted twice");
      await inDialog("Adjust").click();
      await page.locator('[aria-invalid="true"], [role="alert"]').first().waitFor();
      must((await dialog().getByLabel("Reason").inputValue()) === "counted twice", "what was typed is gone");
      await dialog().getByLabel("Credits").fill("2.5");
      await inDialog("Adjust").click();
      await page.getByText("is corrected").waitFor();
      await settled(page);
      await page.getByText("27.50").first().waitFor(); // 5 of the welcome, 25, less 2.5
      await look(page, "a2-wallet");
      await button("Actions for pilot project").click();
      await page.getByRole("menuitem", { name: "Take back" }).click();
      await picture(page, "a2-take-back");
      await dialog().getByLabel("Credits").fill("5");
      await dialog().getByLabel("Reason").fill("shorter project");
      await inDialog("Take back").click();
      await page.getByText("5 credits taken back, 0 owed").waitFor();
      await page.getByRole("tab", { name: "Transactions" }).click();
      await page.getByText("shorter project").waitFor();
      await page.keyboard.press("Escape");
      await page.waitForURL((u) => !u.search.includes("wallet="));
      await button("Create shared wallet").click();
      await dialog().getByLabel("Name").fill("Team Blue");
      await inDialog("Create shared wallet").click();
      await page.waitForURL("**wallet=*");
      await page.getByRole("tab", { name: "Members" }).click();
      await button("Add a member").click();
      await dialog().getByLabel("E-mail").fill(mei);
      await inDialog("Add a member").click();
      await page.getByRole("dialog").first().getByText(mei).waitFor();
      await page.keyboard.press("Escape");
      await go(page, "/admin/credits");
      await look(page, "a2-wallets");
      await page.getByLabel("Kind").selectOption("shared");
      await page.waitForURL("**kind=shared");
      await button("Team Blue", true).waitFor();
      await button(mei, true).waitFor({ state: "hidden" });
    },
  ],
  [
    "redeem codes are made, shown once, and voided",
    async () => {
      await go(page, "/admin/codes");
      await picture(page, "a2-codes-none");
      await button("Make codes").click();
      await dialog().getByLabel("How many").fill("3");
      await dialog().getByLabel("Credits each").fill("10");
      await dialog().getByLabel("Batch").fill("spring-fair");
      await picture(page, "a2-codes-form");
      await inDialog("Make codes").click();
      await page.getByText("Whoever has one can redeem it.").waitFor();
      const codes = (await page.locator("pre code").innerText()).trim().split("\n");
      must(codes.length === 3 && codes.every((c) => c.length > 10), `these are no codes: ${codes}`);
      await page.keyboard.press("Escape");
      must(await page.getByText("Whoever has one can redeem it.").isVisible(), "the codes go away by accident");
      await picture(page, "a2-codes-made");
      await button("I have copied it").click();
      await page.waitForURL("**batch=spring-fair");
      await api("POST", "/api/user/credit/redeem", { code: codes[0] });
      await page.reload();
      await page.locator("tbody").getByText("Used up").waitFor();
      must(!(await page.locator("main").innerText()).includes(codes[1]), "the list shows a code");
      await page
        .getByRole("button", { name: /^Void …/ })
        .first()
        .click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Void" }).click();
      await page.getByText("Voided.").waitFor();
      await settled(page);
      await look(page, "a2-codes");
    },
  ],
  [
    "dead letters say why they failed, and are dropped only with a reason",
    async () => {
      await go(page, "/admin/outbox");
      await page.getByText("No Payment Kit sells").waitFor();
      await picture(page, "a2-outbox-off");
      const at = new Date(Date.now() - 7_200_000).toISOString();
      const report = (id, email, error) => ({
        id,
        email,
        did: "z1UX2Y2cdTR85knvpkemSTPizXfimNyM88S",
        app_id: "z8iZexample",
        amount: "12.345678",
        calls: 431,
        state: "dead",
        attempts: 100,
        next_try: at,
        error,
        created_at: at,
        dropped_at: null,
      });
      const undo = await fake("/api/billing/outbox", {
        on: true,
        calls: 12,
        calls_amount: "0.31",
        pending: 1,
        sent: 2,
        dead: 2,
        unconfirmed: "27.1",
        oldest: at,
        oldest_age_seconds: 7200,
        data: [
          report("01K0000000000000000000DEAD", mei, "Payment Kit answered 422: the customer is closed"),
          report("01K0000000000000000001DEAD", "kenji.watanabe@example.com", "the user has no DID"),
        ],
        next_cursor: null,
      });
      await go(page, "/admin/outbox");
      await page.getByText("the customer is closed").waitFor();
      await look(page, "a2-outbox");
      await button(mei, true).click();
      await page.getByText("Why it failed:").waitFor();
      await picture(page, "a2-report");
      await dialog().getByRole("button", { name: "Drop" }).click();
      await page.getByText("Payment Kit never bills this usage").waitFor();
      await dialog().getByLabel("Reason").fill("they left");
      await inDialog("Drop").click();
      await page.getByText("There is no dead report").waitFor(); // this hub has none: what was typed stays
      must((await dialog().getByLabel("Reason").inputValue()) === "they left", "what was typed is gone");
      await picture(page, "a2-drop");
      await undo();
    },
  ],
  [
    "a bill is read in, compared, and the books are proved",
    async () => {
      await call();
      await go(page, "/admin/reconcile");
      await picture(page, "a2-reconcile-none");
      await button("Import a bill").click();
      await dialog().getByLabel("Format").selectOption("csv");
      const today = new Date().toISOString().slice(0, 10);
      await dialog()
        .getByLabel("File", { exact: true })
        .setInputFiles({
          name: "bill.csv",
          mimeType: "text/csv",
          buffer: Buffer.from(`Day,Model,Key,Requests,Cost\n${today},${process.env.MODEL},sk-…abcd,250,3.5\n`),
        });
      await dialog().getByLabel("Columns").fill("day=Day");
      await inDialog("Import a bill").click();
      await page.getByText("The mapping must look like").waitFor();
      await dialog().getByLabel("Columns").fill("date=Day,model=Model,key=Key,requests=Requests,cost=Cost");
      await picture(page, "a2-bill-form");
      await inDialog("Import a bill").click();
      await page.getByText("The bill is read in.").waitFor();
      await inDialog("Close").first().click();
      await page.getByText("Unknown key").first().waitFor();
      await settled(page);
      await look(page, "a2-reconcile");
      await page.locator("tbody button").first().click();
      await page.getByText("Whose key is it?").waitFor();
      await settled(page);
      await look(page, "a2-drift");
      await dialog().getByLabel("Credential").selectOption("default");
      await inDialog("Save").click();
      await page.getByText("Saved").waitFor();
      await page.waitForFunction(() => !document.body.innerText.includes("Unknown key"));
      await page.getByRole("tab", { name: "Imports" }).click();
      await page.getByText("openai").first().waitFor();
      await page.getByRole("tab", { name: "Books" }).click();
      await button("Prove the books").click();
      await page.getByText("The books balance").waitFor();
      await picture(page, "a2-books");
    },
  ],
  [
    "webhooks are tested, and what did not arrive is seen",
    async () => {
      await api("PUT", "/api/admin/notifications/low-balance", { low_balance: "1000" });
      await go(page, "/admin/notifications?tab=webhooks");
      await button("Add webhook").click();
      await dialog().getByLabel("Address").fill("http://127.0.0.1:9/hub");
      await dialog().getByLabel("Wallet low").check();
      await picture(page, "a2-webhook-form");
      await inDialog("Add webhook").click();
      await page.getByText("It is shown only now.").waitFor();
      await button("I have copied it").click();
      await button("Test", true).click();
      await page.getByText("The test event did not arrive").waitFor();
      await settled(page);
      await look(page, "a2-webhooks");
      await go(page, "/admin/notifications?tab=email");
      await page.getByText("No mail server is set").waitFor();
      await page.getByLabel("The usual ones").uncheck();
      await page.getByLabel("Credential switched off").check();
      await button("Save").first().click();
      await page.getByText("Saved").waitFor();
      await look(page, "a2-email");
      const at = new Date(Date.now() - 600_000).toISOString();
      const undo = await fake("/api/admin/notifications", {
        data: [
          {
            id: "01K00000000000000000000TOLD",
            kind: "wallet.low",
            severity: "warning",
            title: "The wallet of mei@example.com is low: 0.09 credits are left.",
            data: { user: mei, balance: "0.09" },
            created_at: at,
            deliveries: [
              { channel: "webhook", address: "gone", state: "dead", attempts: 12, error: "connection refused" },
              { channel: "email", address: mei, state: "sent", attempts: 1 },
            ],
          },
          {
            id: "01K0000000000000000001TOLD",
            kind: "credential.disabled",
            severity: "error",
            title: "openai does not take the credential default any more.",
            data: {},
            created_at: at,
            deliveries: [],
          },
        ],
        next_cursor: null,
      });
      await go(page, "/admin/notifications");
      await look(page, "a2-notifications");
      await page.getByRole("button", { name: /is low/ }).click();
      await page.getByText("connection refused").waitFor();
      await picture(page, "a2-notification");
      await undo();
    },
  ],
  [
    "alerts are acknowledged and their rules changed",
    async () => {
      const calm = await fake("/api/admin/alerts", { data: [], next_cursor: null }); // the disk of this machine may be full
      await go(page, "/admin/alerts");
      await page.getByText("Nothing is wrong").waitFor();
      await calm();
      const at = new Date(Date.now() - 600_000).toISOString();
      const undo = await fake("/api/admin/alerts", {
        data: [
          {
            id: "01K0000000000000000000ALRT",
            rule: "error_rate",
            subject: "",
            severity: "error",
            state: "open",
            title: "38% of the calls of the last 10 minutes failed.",
            data: { failed: 38, calls: 100, minutes: 10 },
            raised_at: at,
            seen_at: at,
            resolved_at: null,
            acknowledged_at: null,
            acknowledged_by: "",
          },
        ],
        next_cursor: null,
      });
      await go(page, "/admin/alerts");
      await look(page, "a2-alerts");
      await page.getByRole("button", { name: /38%/ }).click();
      await page.getByText("Too many calls fail").first().waitFor();
      await picture(page, "a2-alert");
      await undo();
      await go(page, "/admin/alerts?tab=rules");
      await page.getByLabel("Failed calls in %").fill("500");
      await button("Save").click();
      await page.getByText("error_rate.percent must be").waitFor();
      must((await page.getByLabel("Failed calls in %").inputValue()) === "500", "what was typed is gone");
      await page.getByLabel("Failed calls in %").fill("35");
      await button("Save").click();
      await page.getByText("Saved").waitFor();
      must((await api("GET", "/api/admin/alerts/rules")).error_rate.percent === 35, "the rule is not saved");
      await look(page, "a2-alert-rules");
    },
  ],
  [
    "an app is registered and a client gets its secret, once",
    async () => {
      await go(page, "/admin/apps");
      await button("Register app").first().click();
      await dialog().getByLabel("App ID").fill("https://notes.example.com");
      await dialog().getByLabel("Name").fill("Notes");
      await inDialog("Register app").click();
      await page.getByText("Service keys").waitFor();
      await settled(page);
      await picture(page, "a2-app");
      await page.keyboard.press("Escape");
      await look(page, "a2-apps");
      await go(page, "/admin/clients");
      await button("Register client").first().click();
      await dialog().getByLabel("Name").fill("Notes");
      await dialog().getByLabel("It keeps a secret").check();
      await inDialog("Register client").click();
      await page.getByText("needs 1 to 10 addresses").waitFor();
      await dialog().getByLabel("Redirect addresses").fill("https://notes.example.com/callback");
      await look(page, "a2-client-form");
      await inDialog("Register client").click();
      await page.getByText("Client secret").waitFor();
      await picture(page, "a2-client-made");
      await button("I have copied it").click();
      await settled(page);
      await look(page, "a2-clients");
      await button("Actions for Notes").click();
      await page.getByRole("menuitem", { name: "Remove" }).click();
      await page.getByText("Everything that users allowed it ends at once").waitFor();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await page.getByText("Removed", { exact: true }).waitFor();
    },
  ],
  [
    "the audit log is proved; settings and archives are seen",
    async () => {
      await go(page, "/admin/audit");
      await button("Prove the chain").click();
      await inDialog("Prove the chain").click();
      await page.getByText("The chain holds").waitFor();
      await picture(page, "a2-proof");
      await go(page, "/admin/settings");
      await button("Add rule").click();
      await dialog().getByLabel("User's e-mail").fill("nobody@example.com");
      await inDialog("Add rule").click();
      await page.getByText("There is no user with the e-mail address").waitFor();
      await dialog().getByLabel("User's e-mail").fill(mei);
      await inDialog("Add rule").click();
      await page.getByText("E-mail addresses").waitFor();
      await settled(page);
      await look(page, "a2-settings");
      await go(page, "/admin/settings?tab=start");
      await page.getByText("AIGNE_HUB_BILLING", { exact: true }).waitFor();
      await look(page, "a2-settings-start");
      const quarter = (name, calls, verified) => ({
        name,
        kind: "database",
        file: `/srv/hub/archive/hub-${name}.db`,
        from: "2026-01-01T00:00:00Z",
        until: "2026-04-01T00:00:00Z",
        calls,
        credits: "1841.220412",
        cost_usd: "1502.11",
        changed_at: "2026-05-02T03:00:00Z",
        verified_at: verified ? "2026-05-02T03:10:00Z" : null,
        removed_at: null,
      });
      const undo = await fake("/api/admin/archive", {
        enabled: true,
        after: "2208h0m0s",
        keep: "",
        cutoff: new Date(Date.now() - 92 * 86_400_000).toISOString(),
        free_bytes: 48_300_000_000,
        need_bytes: 2_000_000_000,
        data: [quarter("2026Q2", 84_113, false), quarter("2026Q1", 120_447, true)],
      });
      await go(page, "/admin/archive");
      await button("Archive now").click();
      await page.getByText("Nothing is due.").waitFor();
      await picture(page, "a2-archive-start");
      await page.keyboard.press("Escape");
      await look(page, "a2-archive");
      await undo();
      await go(page, "/admin/archive?tab=runs");
      await picture(page, "a2-archive-runs");
      for (const tab of ["payments", "receipts", "offer"]) {
        await go(page, `/admin/payments?tab=${tab}`);
        await look(page, `a2-${tab}`);
      }
    },
  ],
]);
