/** Where conversations are kept: in this browser only (IndexedDB), each user's apart. Where it may keep nothing, until the page is left. */
import { settled, type Talk } from "./talk";

/** Heading is a conversation in a list. */
export interface Heading {
  id: string;
  title: string;
  updated: number;
}

export interface Shelf {
  list: () => Promise<Heading[]>;
  get: (id: string) => Promise<Talk | undefined>;
  put: (talk: Talk) => Promise<void>;
  remove: (id: string) => Promise<void>;
  clear: () => Promise<void>;
}

interface Row {
  id: string;
  user: string;
  updated: number;
  talk: Talk;
}

const newest = (a: Heading, b: Heading) => b.updated - a.updated;
const heading = (t: Talk): Heading => ({ id: t.id, title: t.title, updated: t.updated });

/** inMemory forgets when the page is left. */
export function inMemory(): Shelf {
  const talks = new Map<string, Talk>();
  return {
    list: async () => [...talks.values()].map(heading).sort(newest),
    get: async (id) => talks.get(id),
    put: async (talk) => void talks.set(talk.id, talk),
    remove: async (id) => void talks.delete(id),
    clear: async () => talks.clear(),
  };
}

const name = "aigne-hub.playground";
const table = "talks";

const asked = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(table, { keyPath: "id" }).createIndex("user", "user");
  };
  const db = await asked(request);
  db.onversionchange = () => db.close(); // another window has a newer console
  return db;
}

/** shelfOf is what this browser keeps for a user. */
export function shelfOf(user: string): Shelf {
  const memory = inMemory();
  let database: Promise<IDBDatabase> | undefined;
  /** run falls back to what the page remembers, where the browser refuses (a private window, a full disk). */
  async function run<T>(
    mode: IDBTransactionMode,
    work: (rows: IDBObjectStore) => Promise<T>,
    otherwise: () => Promise<T>,
  ): Promise<T> {
    try {
      database ??= open();
      const rows = (await database).transaction(table, mode).objectStore(table);
      return await work(rows);
    } catch {
      return otherwise();
    }
  }
  const own = async (rows: IDBObjectStore) => (await asked(rows.index("user").getAll(user))) as Row[];
  return {
    list: async () => {
      const kept = await run(
        "readonly",
        async (rows) => (await own(rows)).map((r) => heading(r.talk)),
        async () => [],
      );
      const here = (await memory.list()).filter((h) => !kept.some((k) => k.id === h.id));
      return [...kept, ...here].sort(newest);
    },
    get: (id) =>
      run(
        "readonly",
        async (rows) => {
          const row = (await asked(rows.get(id))) as Row | undefined;
          return row?.user === user ? settled(row.talk) : memory.get(id);
        },
        () => memory.get(id),
      ),
    put: (talk) =>
      run(
        "readwrite",
        async (rows) => {
          await asked(rows.put({ id: talk.id, user, updated: talk.updated, talk } satisfies Row));
          await memory.remove(talk.id);
        },
        () => memory.put(talk),
      ),
    remove: async (id) => {
      await memory.remove(id);
      await run(
        "readwrite",
        async (rows) => void (await asked(rows.delete(id))),
        async () => {},
      );
    },
    clear: async () => {
      await memory.clear();
      await run(
        "readwrite",
        async (rows) => {
          for (const row of await own(rows)) await asked(rows.delete(row.id));
        },
        async () => {},
      );
    },
  };
}
