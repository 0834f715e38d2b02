// Signs people in, lets the invited accept, and sets lost passwords anew. Tokens
// come in the fragment and leave the address at once.
"use strict";

const $ = (id) => document.getElementById(id);
const given = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname);

const words = {
  en: {
    signIn: "Sign in", email: "E-mail", password: "Password", code: "Code", forgot: "Forgot your password?", invited: "You are invited as", name: "Name", accept: "Accept",
    newPassword: "New password", set: "Set password", with: "Continue with {name}", emailFirst: "Enter your e-mail address first.", isSet: "Your password is set. Sign in with it.",
    setNew: "Set a new password", welcome: "Welcome", failed: "That did not work.",
  },
  "zh-CN": {
    signIn: "登录", email: "电子邮箱", password: "密码", code: "验证码", forgot: "忘记密码？", invited: "您受邀的账户：", name: "姓名", accept: "接受邀请",
    newPassword: "新密码", set: "设置密码", with: "使用 {name} 继续", emailFirst: "请先输入您的电子邮箱。", isSet: "密码已设置，请用新密码登录。",
    setNew: "设置新密码", welcome: "欢迎", failed: "操作未成功。",
  },
  "zh-TW": {
    signIn: "登入", email: "電子郵件", password: "密碼", code: "驗證碼", forgot: "忘記密碼？", invited: "您受邀的帳戶：", name: "姓名", accept: "接受邀請",
    newPassword: "新密碼", set: "設定密碼", with: "使用 {name} 繼續", emailFirst: "請先輸入您的電子郵件。", isSet: "密碼已設定，請用新密碼登入。",
    setNew: "設定新密碼", welcome: "歡迎", failed: "操作未成功。",
  },
  ja: {
    signIn: "ログイン", email: "メールアドレス", password: "パスワード", code: "コード", forgot: "パスワードをお忘れですか？", invited: "招待されたアカウント：", name: "名前", accept: "承諾する",
    newPassword: "新しいパスワード", set: "パスワードを設定", with: "{name} で続ける", emailFirst: "先にメールアドレスを入力してください。", isSet: "パスワードを設定しました。新しいパスワードでログインしてください。",
    setNew: "新しいパスワードを設定", welcome: "ようこそ", failed: "うまくいきませんでした。",
  },
};
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
const t = (name) => words[language][name];

document.documentElement.lang = language;
for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);

function title(text) {
  $("title").textContent = text;
  document.title = text + " – AIGNE Hub";
}

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
  if (!answer.ok) throw Object.assign(new Error(value.error?.message || t("failed")), { param: value.error?.param });
  return value;
}

// back is the page of this hub that wanted somebody to be signed in, else its first
// one. A path that could lead elsewhere counts for none.
function back() {
  const path = given.get("return") || "";
  if (!/^\/(?![/\\])[^\\\s]*$/.test(path)) return "/";
  return new URL("../.." + path, location.href).origin === location.origin ? path : "/";
}

// enter goes where the visitor was on the way to, unless there is something to read
// before.
function enter(result) {
  if (result.warning) {
    say(result.warning);
    for (const form of document.forms) form.hidden = true;
    $("providers").hidden = true;
    return;
  }
  location.replace("../.." + back());
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
  title(t("signIn"));
  $("login").hidden = false;
  say(t("isSet"));
});

$("forgot").addEventListener("click", async () => {
  const email = $("login").elements.email.value;
  if (!email) return say(t("emailFirst"));
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
    button.textContent = t("with").replace("{name}", () => provider.label);
    button.addEventListener("click", async () => {
      try {
        const path = "oidc/" + encodeURIComponent(provider.name) + "/start";
        location.assign((await send("POST", path, { invitation: given.get("invitation") || "", return_to: back() })).url);
      } catch (fault) {
        say(fault.message);
      }
    });
    $("providers").append(button);
  }
  $("providers").hidden = providers.length === 0;
}

async function open() {
  title(t("signIn"));
  if (given.has("error")) say(given.get("error"));
  if (given.has("reset")) {
    title(t("setNew"));
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
    title(t("welcome"));
    $("invited").textContent = invitation.email;
    $("accept").hidden = false;
  } else {
    $("login").hidden = false;
  }
  await offer(ways.providers);
}

open().catch((fault) => say(fault.message));
