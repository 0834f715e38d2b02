import { ApiError, api } from "../api/client";
import type { Cost } from "./bench";

/** waits between the questions, in ms: most calls are settled at once, a stopped one when its provider is done (a minute). */
const waits = [150, 600, 1500, 3000, 5000, 10_000, 20_000, 40_000];

/** costOf asks for a call until the hub has settled it. */
export const costOf: Cost = async (callId) => {
  for (const wait of waits) {
    await new Promise((done) => setTimeout(done, wait));
    try {
      const call = await api.get("/api/user/model-calls/{id}", { params: { id: callId } });
      if (call.status === "processing") continue;
      return call.billed ? { credits: call.credits } : { free: true };
    } catch (fault) {
      if (fault instanceof ApiError && fault.status === 404) continue; // it is on its way to the records
      if (fault instanceof ApiError && fault.status !== 0 && fault.status < 500) return undefined;
    }
  }
  return undefined;
};
