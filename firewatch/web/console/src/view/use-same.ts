import { useRef } from "preact/hooks";

/** The list as it was before while it holds the same things, so that what is drawn from it need not be drawn again. */
export function useSame<T>(list: readonly T[]): readonly T[] {
  const kept = useRef(list);
  const before = kept.current;
  if (before.length !== list.length || before.some((one, place) => one !== list[place])) kept.current = list;
  return kept.current;
}
