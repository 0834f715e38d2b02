import { type QueryCache, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { router } from "./app/router";
import { client } from "./app/session";
import { I18nProvider } from "./lib/i18n";
import "./styles.css";
import { ToastProvider } from "./ui/toast";

// A session that ended while pages are open: sign in, and come back.
(client.getQueryCache() as QueryCache).config.onError = (fault) => {
  const { pathname, href } = router.state.location;
  const open = pathname === "/sign-in" || pathname === "/setup";
  if (!(fault instanceof ApiError) || fault.status !== 401 || open || router.state.status === "pending") return;
  client.removeQueries({ queryKey: ["me"] });
  void router.navigate({ to: "/sign-in", search: { to: href } });
};

// After an upgrade the pages that are open ask for parts that are gone: load the new ones, once.
window.addEventListener("vite:preloadError", () => {
  const mark = "aigne-hub.reloaded";
  const last = Number(sessionStorage.getItem(mark));
  if (Date.now() - last < 60_000) return;
  sessionStorage.setItem(mark, String(Date.now()));
  location.reload();
});

const place = document.getElementById("root");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <I18nProvider>
          <ToastProvider>
            <RouterProvider router={router} />
          </ToastProvider>
        </I18nProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
