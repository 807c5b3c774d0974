import { useEffect, useState } from "preact/hooks";

/** What stands between the lamps and the status bar; named in the address, so that it is kept when the page is loaded. */
export const VIEWS = ["watch", "control-room", "workload", "notifications", "drills", "rules"] as const;
export type View = (typeof VIEWS)[number];

/** `#view`, or `#view/what` for a page about one thing. */
const parts = (): readonly string[] => location.hash.slice(1).split("/");
const named = (): View => VIEWS.find((view) => parts()[0] === view) ?? "watch";
const subject = (): string | null => decodeURIComponent(parts()[1] ?? "") || null;

function useAddress<T>(read: () => T): T {
  const [found, setFound] = useState(read);
  useEffect(() => {
    const look = (): void => setFound(read);
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return found;
}

export const useView = (): View => useAddress(named);

/** What a page is about, such as the alarm whose deliveries are wanted; null where it is about everything. */
export const useSubject = (): string | null => useAddress(subject);
