import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ApiError, address, api } from "./client";

const asked = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

beforeEach(() => {
  vi.stubGlobal("fetch", asked);
  document.head.innerHTML = '<base href="http://hub.test/ai/">';
});
afterEach(() => {
  vi.unstubAllGlobals();
  asked.mockReset();
  document.head.innerHTML = "";
});

it("asks below the prefix that the hub is mounted at, and leaves out what is not said", () => {
  expect(address("/api/admin/users/{email}/sessions", { email: "a/b@c" }, { pageSize: 5, cursor: undefined, q: "" })).toBe(
    "http://hub.test/ai/api/admin/users/a%2Fb%40c/sessions?pageSize=5",
  );
});

it("shows with each change that no other site sent it", async () => {
  asked.mockImplementation(async () => new Response(null, { status: 204 }));
  await api.post("/api/auth/logout");
  await api.get("/api/auth/me");
  const headers = asked.mock.calls.map(([, init]) => init.headers as Record<string, string>);
  expect(headers[0]?.["X-Aigne-Hub-Csrf"]).toBe("1");
  expect(headers[1]?.["X-Aigne-Hub-Csrf"]).toBeUndefined();
});

it("passes on what the hub said was wrong, and with which field", async () => {
  asked.mockResolvedValue(Response.json({ error: { code: "invalid_request", message: "No.", param: "email" } }, { status: 400 }));
  const fault = await api.post("/api/auth/login", { body: { email: "", password: "" } }).catch((e: unknown) => e);
  expect(fault).toBeInstanceOf(ApiError);
  expect(fault).toMatchObject({ status: 400, code: "invalid_request", message: "No.", param: "email" });
});

it("tells a hub that is not reached from one that answers nonsense", async () => {
  asked.mockRejectedValueOnce(new TypeError("network"));
  await expect(api.get("/api/auth/me")).rejects.toMatchObject({ status: 0, code: "unreachable" });
  asked.mockResolvedValueOnce(new Response("<html>", { status: 502 }));
  await expect(api.get("/api/auth/me")).rejects.toMatchObject({ status: 502, code: "unreadable" });
});
