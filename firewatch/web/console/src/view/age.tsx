import { age } from "../format";
import { useDesk, useNow } from "../screen";
import { useWords } from "../text";

/** How long something has been going on; alone in being drawn anew every second. */
export function Age({ since }: { since: string }) {
  const words = useWords();
  const { live } = useDesk();
  const now = useNow();
  return live ? <span class="age"> {words.say("alarm.age", { age: age(words, now - Date.parse(since)) })}</span> : null;
}
