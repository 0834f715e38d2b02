// Signs people in, lets the invited accept, and sets lost passwords anew. Tokens
// come in the fragment and leave the address at once.
"use strict";

const $ = (id) => document.getElementById(id);
const given = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname);

function say(text) {
  $("message").textContent = text;
  $("message").hidden = !text;
}

async function send(method, path, body) {
  const answer = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: body ? { "Content-Type": "application/json", "X-Aigne-Hub-Csrf": "1" } : {},
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  const value = text ? JSON.parse(text) : {};
  if (!answer.ok) throw Object.assign(new Error(value.error?.message || "That did not work."), { param: value.error?.param });
  return value;
}

// enter goes to the hub's first page, unless there is something to read before.
function enter(result) {
  if (result.warning) {
    say(result.warning);
    for (const form of document.forms) form.hidden = true;
    $("providers").hidden = true;
    return;
  }
  location.replace("../../");
}

function onSubmit(id, act) {
  $(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = $(id).querySelector("button");
    button.disabled = true;
    say("");
    try {
      await act(Object.fromEntries(new FormData($(id))));
    } catch (fault) {
      say(fault.message);
      if (id === "login" && fault.param === "code") {
        $("code").hidden = false;
        $("code").querySelector("input").focus();
      }
    } finally {
      button.disabled = false;
    }
  });
}

onSubmit("login", async (fields) => enter(await send("POST", "login", fields)));
onSubmit("accept", async (fields) => enter(await send("POST", "invitations/accept", { ...fields, token: given.get("invitation") })));
onSubmit("reset", async (fields) => {
  await send("POST", "password/reset", { ...fields, token: given.get("reset") });
  $("reset").hidden = true;
  $("title").textContent = "Sign in";
  $("login").hidden = false;
  say("Your password is set. Sign in with it.");
});

$("forgot").addEventListener("click", async () => {
  const email = $("login").elements.email.value;
  if (!email) return say("Enter your e-mail address first.");
  try {
    say((await send("POST", "password/forgot", { email })).message);
  } catch (fault) {
    say(fault.message);
  }
});

async function offer(providers) {
  for (const provider of providers) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Continue with " + provider.label;
    button.addEventListener("click", async () => {
      try {
        const path = "oidc/" + encodeURIComponent(provider.name) + "/start";
        location.assign((await send("POST", path, { invitation: given.get("invitation") || "" })).url);
      } catch (fault) {
        say(fault.message);
      }
    });
    $("providers").append(button);
  }
  $("providers").hidden = providers.length === 0;
}

async function open() {
  if (given.has("error")) say(given.get("error"));
  if (given.has("reset")) {
    $("title").textContent = "Set a new password";
    $("reset").hidden = false;
    return;
  }
  const ways = await send("GET", "providers");
  if (ways.blocklet?.only) {
    const here = new URL("../../", location.href).pathname;
    location.replace(ways.blocklet.sign_in + "?redirect=" + encodeURIComponent(here));
    return;
  }
  $("forgot").hidden = !ways.mail;
  if (given.has("invitation")) {
    const invitation = await send("POST", "invitations/read", { token: given.get("invitation") });
    $("title").textContent = "Welcome";
    $("invited").textContent = invitation.email;
    $("accept").hidden = false;
  } else {
    $("login").hidden = false;
  }
  await offer(ways.providers);
}

open().catch((fault) => say(fault.message));
