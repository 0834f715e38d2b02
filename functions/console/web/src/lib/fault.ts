import type { Key, Vars } from "./i18n";

/** What the hub says in whole sentences that people meet often, by their beginning; {} stands for a part that differs. */
const sentences: readonly [string, Key][] = [
  ["The e-mail address or the password is wrong.", "said.login"],
  ["The current password is wrong.", "said.password"],
  ["This code is wrong. Check the time on the device that shows it.", "said.code"],
  ["Too many tries; wait a while and try again.", "said.tries"],
  ["This code is not valid. Check it for typing errors.", "said.redeem.unknown"],
  ["This code has been used.", "said.redeem.used"],
  ["This code has expired.", "said.redeem.expired"],
  ["You have redeemed this code already; its credits are in your account.", "said.redeem.mine"],
  ["Too many codes that do not work. Try again later.", "said.redeem.tries"],
  ["No card is kept for you.", "said.card"],
  ["The expiry must lie in the future", "said.expiry"],
  ["This hub does not sell credits by card.", "said.shop"],
  ["This hub sends no e-mail.", "said.mail"],
  ["The monthly cap must be at least the price of one top-up, {}.", "said.cap"],
  ["Buy {} to {} credits at once.", "said.buy"],
  ["There is a user with the e-mail address {} already.", "said.user.taken"],
  ["There is no user with the e-mail address {}.", "said.user.none"],
  ["There is a wallet named {} already.", "said.wallet.taken"],
  ["Only managers of the wallet {} may do that.", "said.wallet.manager"],
  ["{} is neither an address nor a network", "said.ip"],
  ["Only owners and admins may do this.", "said.admins"],
  ["You sign in without a password here", "said.nopassword"],
];

/** said finds the key of a sentence, and the parts that differ as a, b, … */
export function said(message: string): { key: Key; vars: Vars } | undefined {
  for (const [sentence, key] of sentences) {
    const parts = sentence.split("{}");
    if (parts.length === 1) {
      if (message.startsWith(sentence)) return { key, vars: {} };
      continue;
    }
    const vars: Vars = {};
    let rest = message;
    const fits = parts.every((part, i) => {
      const last = i === parts.length - 1;
      const at =
        i === 0
          ? rest.startsWith(part)
            ? 0
            : -1
          : part === ""
            ? rest.length
            : last
              ? rest.lastIndexOf(part)
              : rest.indexOf(part);
      if (at < 0) return false;
      if (i > 0) vars[String.fromCharCode(96 + i)] = rest.slice(0, at);
      rest = rest.slice(at + part.length);
      return true;
    });
    if (fits) return { key, vars };
  }
  return undefined;
}

interface Fault {
  status: number;
  code: string;
  message: string;
  param: string;
}
interface Words {
  language: string;
  t: (key: Key, vars?: Vars) => string;
  known: (key: string, word: string) => string;
}

/** faultText says in the reader's language what the hub refused. Where it has no sentence for just this, it says of which sort the
 * fault is, and leaves the hub's own text as the detail. */
export function faultText({ t, known, language }: Words, fault: Fault): string {
  if (language === "en" && fault.message) return fault.message; // what the hub says itself
  const exact = said(fault.message);
  if (exact) return t(exact.key, exact.vars);
  const field = fault.param.replace(/[[.].*$/, "");
  const general =
    fault.code === "invalid_request" && field
      ? t("fault.field", { field: known(`fault.field.${field}`, field) })
      : known(`fault.code.${fault.code}`, t("fault.status", { status: fault.status }));
  return fault.message ? t("fault.detail", { text: general, detail: fault.message }) : general;
}
