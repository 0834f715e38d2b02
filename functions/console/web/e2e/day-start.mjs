// What every other day begins with.

import { go, must } from "./browser.mjs";
import { begin, run } from "./steps.mjs";

const day = await begin();
const { page, call, model } = day;

await run(day, [
  [
    "a call that a program made is on the first page",
    async () => {
      const { status, text } = await call();
      must(status === 200, `${status} ${text}`);
      await go(page, "/");
      await page.getByRole("link", { name: model }).first().waitFor();
    },
  ],
]);
