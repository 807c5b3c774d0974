import { useWords } from "../text";
import { useMarks } from "./use-marks";
import { VIEWS, type View } from "./use-view";

/** The pages, each with a mark where something on it asks for a look. */
export function Views({ view }: { view: View }) {
  const words = useWords();
  const marks = useMarks();
  return (
    <nav class="views" aria-label={words.say("view.title")}>
      {VIEWS.map((one) => (
        <a key={one} href={`#${one}`} aria-current={one === view ? "page" : undefined} title={marks[one]}>
          {words.say(`view.${one}`)}
          {marks[one] !== undefined && (
            <span class={`badge ${one}`}>
              !<span class="unseen">{marks[one]}</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}
