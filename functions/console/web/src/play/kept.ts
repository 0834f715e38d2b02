import { useCallback, useEffect, useRef, useState } from "react";

const memory = new Map<string, unknown>();

/** useKept is useState for what must outlive a change of the page, until it is loaded again. */
export function useKept<T>(name: string, initial: T): [T, (value: T | ((old: T) => T)) => void] {
  const first = useRef(initial);
  const old = useCallback(() => (memory.has(name) ? (memory.get(name) as T) : first.current), [name]);
  const [value, setValue] = useState<T>(old);
  const set = useCallback(
    (next: T | ((old: T) => T)) => {
      const fresh = typeof next === "function" ? (next as (old: T) => T)(old()) : next;
      memory.set(name, fresh);
      setValue(fresh);
    },
    [name, old],
  );
  return [value, set];
}

/** useWanted takes over the model that a link to the page names. */
export function useWanted<T extends { model: string }>(wanted: string | undefined, set: (change: (old: T) => T) => void) {
  useEffect(() => {
    if (wanted) set((old) => ({ ...old, model: wanted }));
  }, [wanted, set]);
}
