import { age } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";

/** `heard` is when the server last said anything, null if it never did. */
export function LostBanner({ heard }: { heard: number | null }) {
  const words = useWords();
  const { now, time } = useScreen();
  return (
    <div class="lost-banner" role="alert">
      <strong>{words.say("connection.lost")}</strong>
      <span>
        {heard === null
          ? words.say("connection.never")
          : words.say("connection.lost.since", { age: age(words, now - heard), time: time(heard) })}{" "}
        {words.say("connection.retry")}
      </span>
    </div>
  );
}
