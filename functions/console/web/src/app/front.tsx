import type { ReactNode } from "react";
import { useEffect } from "react";
import { Brand, Preferences } from "./shell";

/** Front is the frame of pages before the sign-in. */
export function Front({ title, about, children }: { title: string; about?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} – AIGNE Hub`;
  }, [title]);
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex h-14 items-center justify-between px-4 sm:px-6">
        <Brand />
        <div className="flex">
          <Preferences />
        </div>
      </header>
      <main className="flex flex-1 items-start justify-center px-4 pt-[min(12vh,7rem)] pb-10">
        <div className="card w-full max-w-md p-6 sm:p-7">
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {about && <div className="mt-1 text-ink-3">{about}</div>}
          <div className="mt-5">{children}</div>
        </div>
      </main>
    </div>
  );
}
