const taken = new Map<string, string>();

/**
 * token takes a value out of the address's fragment, and out of the address bar and the history: it lets its bearer in.
 * Asked again for the same name it answers the same until the page is left.
 */
export function token(name: string): string {
  const given = new URLSearchParams(location.hash.slice(1));
  const value = given.get(name);
  if (value !== null) {
    taken.set(name, value);
    given.delete(name);
    const rest = given.toString();
    history.replaceState(history.state, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
  }
  return taken.get(name) ?? "";
}

/** forget drops what token took. */
export function forget(name: string) {
  taken.delete(name);
}
