import { useEffect, useState } from "preact/hooks";

/** What stands between the lamps and the status bar; named in the address, so that it is kept when the page is loaded. */
export const VIEWS = ["watch", "rules"] as const;
export type View = (typeof VIEWS)[number];

const named = (): View => VIEWS.find((view) => location.hash === `#${view}`) ?? "watch";

export function useView(): View {
  const [view, setView] = useState(named);
  useEffect(() => {
    const look = (): void => setView(named());
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return view;
}
