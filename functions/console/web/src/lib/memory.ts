/** What this browser remembers. Where it may remember nothing, it forgets. */

export function recall(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** remember keeps a value; "" drops it. */
export function remember(name: string, value: string) {
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // a window in private
  }
}
