// Asks whether an application (authorize), a device (device) or AIGNE's command
// line (connect) may use the hub in the user's name. Codes and session ids leave
// the address at once.
"use strict";

const $ = (id) => document.getElementById(id);
const kind = location.pathname.split("/").pop();
const hash = new URLSearchParams(location.hash.slice(1));
const query = new URLSearchParams(location.search);
const asking = {
  authorize: { query: location.search.slice(1) },
  device: { user_code: hash.get("user_code") || query.get("user_code") || "" },
  connect: { session: hash.get("session") || "" },
}[kind];
if (kind !== "authorize") history.replaceState(null, "", location.pathname);

const language = (() => {
  for (const wanted of navigator.languages || []) {
    const tag = wanted.toLowerCase();
    if (/^zh-(tw|hk|mo|hant)/.test(tag)) return "zh-TW";
    if (tag.startsWith("zh")) return "zh-CN";
    if (tag.startsWith("ja")) return "ja";
    if (tag.startsWith("en")) return "en";
  }
  return "en";
})();
const t = (name, fill = {}) => words[language][name].replace(/\{(\w+)\}/g, (_, key) => fill[key] ?? "");

document.documentElement.lang = language;
for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
for (const element of document.querySelectorAll("[data-p]")) element.placeholder = t(element.dataset.p);

function title(text) {
  $("title").textContent = text;
  document.title = text + " – AIGNE Hub";
}

function say(text, done = false) {
  $("message").textContent = text;
  $("message").hidden = !text;
  $("message").classList.toggle("done", done);
}

function end(text) {
  $("code").hidden = $("consent").hidden = true;
  say(text, true);
}

// signIn leads through the sign-in and back.
function signIn() {
  const back = { authorize: "authorize" + location.search, device: "device#" + new URLSearchParams(asking), connect: "connect#" + new URLSearchParams(asking) }[kind];
  location.replace("../api/auth/sign-in#return=" + encodeURIComponent("/oauth/" + back));
}

async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-Aigne-Hub-Csrf": "1" },
    body: JSON.stringify(body),
  });
  if (answer.status === 401) {
    signIn();
    return new Promise(() => {});
  }
  const text = await answer.text();
  const value = text ? JSON.parse(text) : {};
  if (!answer.ok) throw new Error(value.error?.message || t("failed"));
  return value;
}

let app = "";

function show(asked) {
  app = asked.name;
  title(kind === "connect" ? t("cli") : t("app", { app }));
  $("stranger").hidden = asked.known || kind === "connect";
  $("stranger").textContent = t("stranger", { app });
  $("waiting").hidden = !asked.started_at;
  if (asked.started_at) {
    const n = Math.floor((Date.now() - Date.parse(asked.started_at)) / 60000);
    $("waiting").textContent = t("waiting", { address: asked.address || "?", when: n > 0 ? t("minutes", { n }) : t("now") });
  }
  $("scopes").replaceChildren(...asked.scopes.map((scope) => {
    const item = document.createElement("li");
    item.textContent = t(scope);
    return item;
  }));
  $("user").textContent = asked.user;
  $("back").hidden = $("backLabel").hidden = !asked.redirect;
  $("back").textContent = asked.redirect;
  $("code").hidden = true;
  $("consent").hidden = false;
}

async function read() {
  show(await send(kind + "/read", asking));
}

async function decide(allow) {
  const fields = Object.fromEntries(new FormData($("consent")));
  const terms = allow ? { days: Number(fields.days), budget_day: fields.budget_day.trim(), budget_month: fields.budget_month.trim(), rpm: fields.rpm ? Number(fields.rpm) : null } : {};
  for (const button of $("consent").querySelectorAll("button")) button.disabled = true;
  say("");
  try {
    const answer = await send(kind, { ...asking, allow, ...terms });
    if (kind === "authorize") {
      end(allow ? t("going", { app }) : t("denied"));
      location.replace(answer.url);
      return;
    }
    end(t(!allow ? "denied" : kind === "connect" ? "doneCli" : "done"));
  } catch (fault) {
    say(fault.message);
  } finally {
    for (const button of $("consent").querySelectorAll("button")) button.disabled = false;
  }
}

$("consent").addEventListener("submit", (event) => {
  event.preventDefault();
  decide(true);
});
$("deny").addEventListener("click", () => decide(false));
$("other").addEventListener("click", async () => {
  try {
    await send("../api/auth/logout", {});
    signIn();
  } catch (fault) {
    say(fault.message);
  }
});
$("code").addEventListener("submit", (event) => {
  event.preventDefault();
  asking.user_code = $("code").elements.user_code.value;
  say("");
  read().catch((fault) => say(fault.message));
});

title({ authorize: "AIGNE Hub", device: t("device"), connect: t("cli") }[kind]);
const fault = document.body.dataset.fault;
if (fault) {
  title(t("sorry"));
  say(t(fault === "client" ? "faultClient" : "faultRequest"));
} else if (kind === "device" && !asking.user_code) {
  $("code").hidden = false;
} else if (kind === "connect" && !asking.session) {
  say(t("empty"));
} else {
  read().catch((problem) => {
    say(problem.message);
    $("code").hidden = kind !== "device";
  });
}
