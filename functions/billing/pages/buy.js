"use strict";

const $ = (id) => document.getElementById(id);

function say(text, bad) {
  $("state").textContent = text;
  $("state").className = bad ? "bad" : "good";
}

// ask calls the hub; paths are relative, so that the page works below any prefix.
async function ask(method, path, body) {
  const key = $("key").value.trim();
  const headers = {};
  if (key) headers.Authorization = "Bearer " + key;
  if (body) headers["Content-Type"] = "application/json";
  const res = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "same-origin" });
  const data = await res.json().catch(() => ({}));
  if (!res.ok) throw new Error((data.error && data.error.message) || "The hub answered with status " + res.status + ".");
  return data;
}

function onSubmit(id, work) {
  $(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.target.querySelector("button");
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      say(error.message, true);
    } finally {
      button.disabled = false;
    }
  });
}

async function showBalance() {
  const b = await ask("GET", "../user/credit/balance");
  $("balance").textContent = "You have " + b.available + " credits" + (b.held === "0" ? "." : ", and " + b.held + " are set aside for running calls.");
}

function needKey() {
  if ($("key").reportValidity()) return true;
  $("key").focus();
  return false;
}

function choose(offer) {
  const currency = offer.currency.toUpperCase();
  for (const p of offer.packages) {
    const label = document.createElement("label");
    label.className = "inline";
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = "package";
    radio.value = p.id;
    radio.addEventListener("change", () => { $("credits").value = ""; });
    label.append(radio, " " + p.credits + " credits for " + p.price + " " + currency);
    $("packages").append(label);
  }
  $("credits").addEventListener("input", () => {
    for (const radio of document.getElementsByName("package")) radio.checked = false;
  });
  $("price").textContent = "From " + offer.min + " to " + offer.max + " credits; one costs " + offer.price + " " + currency +
    (offer.tax_added ? ", to which tax is added." : ".");
  $("shop").hidden = false;
}

onSubmit("who", async () => {
  await showBalance();
  say("", false);
});

onSubmit("buy", async () => {
  if (!needKey()) return;
  const chosen = document.querySelector("input[name=package]:checked");
  const order = { save_card: $("save").checked };
  if (chosen) order.package = chosen.value;
  else order.credits = $("credits").value.trim();
  if (!chosen && !order.credits) throw new Error("Say how many credits you want.");
  const made = await ask("POST", "../user/credit/checkout", order);
  location.assign(made.url);
});

onSubmit("redeem", async () => {
  if (!needKey()) return;
  const got = await ask("POST", "../user/credit/redeem", { code: $("code").value });
  $("code").value = "";
  say("You got " + got.grant.amount + " credits.", false);
  await showBalance();
});

ask("GET", "offer").then((offer) => {
  if (offer.enabled) choose(offer);
}).catch((error) => say(error.message, true));

const came = new URLSearchParams(location.search).get("state");
if (came === "done") say("Thank you. The credits are there as soon as the payment is confirmed, usually within seconds.", false);
if (came === "cancelled") say("The payment was cancelled; nothing was charged.", true);
