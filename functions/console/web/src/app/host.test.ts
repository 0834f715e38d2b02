import { afterEach, describe, expect, it, vi } from "vitest";
import { wishes } from "../lib/i18n";
import { chooseTheme, hostTheme } from "../lib/theme";
import { about, entered, enterHost, sendOnce } from "./host";

afterEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  delete document.documentElement.dataset.host;
  delete document.documentElement.dataset.theme;
});

describe("the theme of an app on a Blocklet Server", () => {
  const on = () => {
    document.documentElement.dataset.host = "blocklet";
  };
  it.each([
    ["dark", "", "", "dark"],
    ["dark", "light", "", "dark"], // what the app prescribes stands above what somebody once chose
    ["system", "light", "", "light"],
    ["system", "", "", ""],
    ["light", "", "dark", "dark"], // chosen for this window
    ["", "dark", "", ""],
    ["odd", "odd", "odd", ""],
  ])("%s, chosen %j, in this window %j, is %j", (app, local, window, want) => {
    on();
    localStorage.setItem("aigne-hub.host-theme", app);
    localStorage.setItem("blocklet_theme_prefer", local);
    sessionStorage.setItem("blocklet_theme_prefer", window);
    expect(hostTheme()).toBe(want);
  });
  it("is nobody's business elsewhere", () => {
    localStorage.setItem("aigne-hub.host-theme", "dark");
    expect(hostTheme()).toBe("");
  });
  it("gives way to what was chosen here, and comes back", () => {
    on();
    localStorage.setItem("aigne-hub.host-theme", "dark");
    chooseTheme("light");
    expect(document.documentElement.dataset.theme).toBe("light");
    chooseTheme("system");
    expect(document.documentElement.dataset.theme).toBe("dark");
  });
});

it("takes nothing strange from the app's page", () => {
  expect(about({ appName: "Shop", theme: { prefer: "dark" } })).toEqual({ name: "Shop", theme: "dark" });
  expect(about({ appName: 1, theme: "dark" })).toEqual({ name: "", theme: "" });
  expect(about(undefined)).toEqual({ name: "", theme: "" });
});

it("sends a browser to the server's sign-in once, and again after it was let in", () => {
  expect(sendOnce(100_000)).toBe(true);
  expect(sendOnce(110_000)).toBe(false);
  entered();
  expect(sendOnce(120_000)).toBe(true);
  expect(sendOnce(190_000)).toBe(true);
});

it("names the page to come back to", () => {
  expect(enterHost("/.well-known/service/login", "/ai/keys?key=1")).toBe(
    `${location.origin}/.well-known/service/login?redirect=%2Fai%2Fkeys%3Fkey%3D1`,
  );
});

describe("the language of an app on a Blocklet Server", () => {
  it("comes before the browser's, and only there", () => {
    vi.spyOn(document, "cookie", "get").mockReturnValue("a=b; nf_lang=zh-TW");
    expect(wishes(["ja"])).toEqual(["ja"]);
    document.documentElement.dataset.host = "blocklet";
    expect(wishes(["ja"])).toEqual(["zh-TW", "ja"]);
  });
});
