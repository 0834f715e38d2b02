/** A page that is not seen draws no frames; what comes is then taken over this often, in ms. */
const unseen = 250;

/** perFrame collects what comes and hands it over once a frame, so that a fast stream does not draw for each word. */
export function perFrame<T>(take: (items: T[]) => void): { add: (item: T) => void; flush: () => void } {
  let items: T[] = [];
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = undefined;
    const all = items;
    items = [];
    if (all.length > 0) take(all);
  };
  return {
    add: (item) => {
      items.push(item);
      if (timer !== undefined) return;
      frame = requestAnimationFrame(flush);
      timer = setTimeout(flush, unseen);
    },
    flush,
  };
}
