import { describe, expect, it } from "vitest";
import { presetOf, spanOf, stepOf, stepsOf } from "./range";
import { dayOf, plusDays, plusMonths, startOf } from "./zone";

const at = (iso: string) => Date.parse(iso);
const of = (iso: string) => at(iso) / 1000;

describe("days of a time zone", () => {
  it.each([
    ["UTC", "2026-05-04", "2026-05-04T00:00:00Z"],
    ["Asia/Tokyo", "2026-05-04", "2026-05-03T15:00:00Z"],
    ["Asia/Kolkata", "2026-05-04", "2026-05-03T18:30:00Z"],
    ["America/New_York", "2026-03-08", "2026-03-08T05:00:00Z"], // clocks change at two
    ["America/New_York", "2026-03-09", "2026-03-09T04:00:00Z"],
    ["Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00Z"],
  ])("in %s %s begins at %s", (zone, day, iso) => {
    expect(startOf(zone, day)).toBe(at(iso));
  });
  it("knows the day of a moment, and what is no day", () => {
    expect(dayOf("Asia/Tokyo", at("2026-05-03T15:00:00Z"))).toBe("2026-05-04");
    expect(dayOf("America/New_York", at("2026-05-04T03:59:59Z"))).toBe("2026-05-03");
    expect(startOf("UTC", "2026-13-40")).toBeUndefined();
    expect(startOf("UTC", "yesterday")).toBeUndefined();
  });
  it("counts on the calendar", () => {
    expect(plusDays("2026-03-01", -1)).toBe("2026-02-28");
    expect(plusMonths("2026-01-31", -1)).toBe("2025-12-01");
    expect(plusMonths("2026-12-05", 1)).toBe("2027-01-01");
  });
});

describe("ranges", () => {
  const now = at("2026-05-04T01:30:00Z"); // the third of May in New York
  it("has days of the user's zone", () => {
    expect(spanOf({ range: "today" }, "30d", "America/New_York", now)).toEqual({ startTime: of("2026-05-03T04:00:00Z") });
    expect(spanOf({ range: "yesterday" }, "30d", "UTC", now)).toEqual({
      startTime: of("2026-05-03T00:00:00Z"),
      endTime: of("2026-05-04T00:00:00Z"),
    });
    expect(spanOf({}, "30d", "UTC", now)).toEqual({ startTime: of("2026-04-05T00:00:00Z") });
    expect(spanOf({ range: "last-month" }, "30d", "UTC", now)).toEqual({
      startTime: of("2026-04-01T00:00:00Z"),
      endTime: of("2026-05-01T00:00:00Z"),
    });
  });
  it("takes the last day of a range of days whole", () => {
    expect(spanOf({ from: "2026-05-01", until: "2026-05-01" }, "30d", "Asia/Tokyo", now)).toEqual({
      startTime: of("2026-04-30T15:00:00Z"),
      endTime: of("2026-05-01T15:00:00Z"),
    });
    expect(presetOf({ from: "2026-05-01", range: "7d" }, "30d")).toBe("custom");
    expect(spanOf({ from: "soon" }, "all", "UTC", now)).toEqual({ startTime: undefined, endTime: undefined });
  });
  it("knows no range of a made-up name", () => {
    expect(presetOf({ range: "ever" }, "30d")).toBe("30d");
    expect(spanOf({ range: "ever" }, "all", "UTC", now)).toEqual({});
  });
});

describe("steps", () => {
  const now = at("2026-05-04T00:00:00Z");
  const days = (n: number) => ({ startTime: of("2026-05-04T00:00:00Z") - n * 86_400 });
  it.each([
    [1, ["hour"], "hour"],
    [7, ["hour", "day"], "day"],
    [30, ["day", "week"], "day"],
    [90, ["day", "week", "month"], "day"],
    [365, ["day", "week", "month"], "week"],
    [4000, ["month"], "month"],
  ])("of %i days are %j, %s unless chosen", (n, fit, usual) => {
    expect(stepsOf(days(n), now)).toEqual(fit);
    expect(stepOf(days(n), undefined, now)).toBe(usual);
  });
  it("does not take a chosen one that makes no sense", () => {
    expect(stepOf(days(365), "hour", now)).toBe("week");
    expect(stepOf(days(7), "hour", now)).toBe("hour");
  });
});
