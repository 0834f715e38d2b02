import { expect, it } from "vitest";
import { navigation } from "./nav";

const places = (role: Parameters<typeof navigation>[0]) => navigation(role).flatMap((g) => g.places.map((p) => p.to));

it("shows the administration to owners and admins only, and guests nothing", () => {
  expect(places("owner")).toEqual(places("admin"));
  expect(places("admin").some((to) => to.startsWith("/admin/"))).toBe(true);
  expect(places("member").some((to) => to.startsWith("/admin/") || to === "/start")).toBe(false);
  expect(places("guest")).toEqual([]);
});
