import type { paths } from "./schema.gen";

type Method = "get" | "post" | "put" | "patch" | "delete";

/** The paths of the hub's API that have a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never;
}[keyof paths];

type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never;
type Json<C> = C extends { content: { "application/json": infer B } } ? B : undefined;
type Good<R> = R extends { 200: infer A }
  ? Json<A>
  : R extends { 201: infer A }
    ? Json<A>
    : R extends { 202: infer A }
      ? Json<A>
      : undefined;
/** What an operation answers with. */
export type Answer<P extends keyof paths, M extends Method = "get"> =
  Operation<P, M> extends { responses: infer R } ? Good<R> : never;
/** What an operation takes as its body. */
export type Body<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody: { content: { "application/json": infer B } } }
    ? B
    : Operation<P, M> extends { requestBody?: { content: { "application/json": infer B } } }
      ? B
      : undefined;
type QueryOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { parameters: { query: infer Q } }
    ? Q
    : Operation<P, M> extends { parameters: { query?: infer Q } }
      ? Exclude<Q, undefined>
      : Record<string, never>;
type ParamsOf<P extends keyof paths, M extends Method> = Operation<P, M> extends { parameters: { path: infer T } } ? T : never;

interface Options<P extends keyof paths, M extends Method> {
  params?: ParamsOf<P, M>;
  query?: QueryOf<P, M>;
  body?: Body<P, M>;
  signal?: AbortSignal;
}

/** ApiError is what the hub said when it did not do what was asked. */
export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: the hub was not reached
    readonly code: string,
    message: string,
    readonly param = "",
  ) {
    super(message);
  }
}

/** at is the address of a path of the hub below the prefix that it is mounted at. */
export function at(path: string): string {
  return new URL(path.replace(/^\//, ""), document.baseURI).toString();
}

/** address fills the parameters of a path in and adds the query. What is undefined or empty is left out. */
export function address(path: string, params: object = {}, query: object = {}): string {
  const filled = path.replace(/\{(\w+)(?:\.\.\.)?\}/g, (_, name: string) =>
    encodeURIComponent(String((params as Record<string, unknown>)[name])),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return at(filled) + (text ? `?${text}` : "");
}

async function call<P extends keyof paths, M extends Method>(method: M, path: P, o: Options<P, M> = {}): Promise<Answer<P, M>> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "get") headers["X-Aigne-Hub-Csrf"] = "1";
  if (o.body !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(address(path, o.params as object, o.query as object), {
      method: method.toUpperCase(),
      headers,
      credentials: "same-origin",
      body: o.body === undefined ? undefined : JSON.stringify(o.body),
      signal: o.signal,
    });
  } catch (fault) {
    if (o.signal?.aborted) throw fault;
    throw new ApiError(0, "unreachable", "");
  }
  return read<Answer<P, M>>(answer);
}

/** read is the value of an answer, or throws what the hub said instead. */
async function read<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  let value: unknown;
  try {
    value = text ? JSON.parse(text) : undefined;
  } catch {
    throw new ApiError(answer.status, "unreadable", "");
  }
  if (!answer.ok) {
    const said = (value as { error?: { code?: string; message?: string; param?: string } } | undefined)?.error;
    throw new ApiError(answer.status, said?.code ?? "unreadable", said?.message ?? "", said?.param);
  }
  return value as T;
}

/** upload sends a file as it is. */
export async function upload<P extends PathOf<"post">>(
  path: P,
  file: Blob,
  type: string,
  query?: QueryOf<P, "post">,
): Promise<Answer<P, "post">> {
  let answer: Response;
  try {
    answer = await fetch(address(path, {}, query as object), {
      method: "POST",
      headers: { Accept: "application/json", "X-Aigne-Hub-Csrf": "1", "Content-Type": type },
      credentials: "same-origin",
      body: file,
    });
  } catch {
    throw new ApiError(0, "unreachable", "");
  }
  return read<Answer<P, "post">>(answer);
}

/** api calls the hub with the session of this browser. */
export const api = {
  get: <P extends PathOf<"get">>(path: P, o?: Options<P, "get">) => call("get", path, o),
  post: <P extends PathOf<"post">>(path: P, o?: Options<P, "post">) => call("post", path, o),
  put: <P extends PathOf<"put">>(path: P, o?: Options<P, "put">) => call("put", path, o),
  patch: <P extends PathOf<"patch">>(path: P, o?: Options<P, "patch">) => call("patch", path, o),
  delete: <P extends PathOf<"delete">>(path: P, o?: Options<P, "delete">) => call("delete", path, o),
};
