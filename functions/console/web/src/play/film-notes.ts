import { recall, remember } from "../lib/memory";

/** Note is what this browser knows of a film beyond what the hub keeps, which is no prompt. */
export interface FilmNote {
  id: string;
  prompt: string;
  callId: string;
}

const most = 50;
const name = (user: string) => `aigne-hub.play.videos.${user}`;

export function filmNotes(user: string): FilmNote[] {
  try {
    const list: unknown = JSON.parse(recall(name(user)) || "[]");
    return Array.isArray(list) ? (list as FilmNote[]) : [];
  } catch {
    return [];
  }
}

export function noteFilm(user: string, note: FilmNote) {
  remember(name(user), JSON.stringify([note, ...filmNotes(user)].slice(0, most)));
}

export function forgetFilm(user: string, id: string) {
  const rest = filmNotes(user).filter((n) => n.id !== id);
  remember(name(user), rest.length > 0 ? JSON.stringify(rest) : "");
}
