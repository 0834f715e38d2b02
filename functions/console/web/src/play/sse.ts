/** One event of a stream of server-sent events. */
export interface SentEvent {
  /** name is "message" unless the stream gave another. */
  name: string;
  data: string;
}

/**
 * Reader takes a stream of server-sent events apart, wherever the network cut it: inside a line, between CR and LF,
 * inside a character (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
 * Comments, ids and retry times are passed over: a call of a model is not taken up again.
 */
export class Reader {
  private readonly decoder = new TextDecoder(); // drops the byte order mark
  private rest = "";
  private name = "";
  private data: string[] = [];

  /** push gives the events that are complete with these bytes. */
  push(bytes: Uint8Array): SentEvent[] {
    return this.read(this.decoder.decode(bytes, { stream: true }), false);
  }

  /** end gives an event whose empty line is missing, as some servers end their streams so. */
  end(): SentEvent[] {
    const events = this.read(`${this.decoder.decode()}\n`, true);
    return events.concat(this.done() ?? []);
  }

  private read(text: string, last: boolean): SentEvent[] {
    const all = this.rest + text;
    const events: SentEvent[] = [];
    let from = 0;
    for (let at = 0; at < all.length; at++) {
      const c = all[at];
      if (c !== "\n" && c !== "\r") continue;
      if (c === "\r" && at === all.length - 1 && !last) break; // an LF may follow
      const event = this.line(all.slice(from, at));
      if (event) events.push(event);
      if (c === "\r" && all[at + 1] === "\n") at++;
      from = at + 1;
    }
    this.rest = all.slice(from);
    return events;
  }

  private line(line: string): SentEvent | undefined {
    if (line === "") return this.done();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    if (field === "event") this.name = value;
    return undefined;
  }

  private done(): SentEvent | undefined {
    const event = this.data.length > 0 ? { name: this.name || "message", data: this.data.join("\n") } : undefined;
    this.name = "";
    this.data = [];
    return event;
  }
}
