// A camera's live picture. It is asked for again and again, since a browser keeps only six connections to a server
// and an endless picture stream would take one of them for each camera.

import { useEffect, useState } from "preact/hooks";

import type { DeviceView } from "../api";
import { age } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";

const PAUSE_MS = 400;
const PATIENCE_MS = 4_000;
/** At five pictures a second, twenty in a row that are the same. */
const FROZEN_AFTER_MS = 4_000;

interface Picture {
  address: string;
  etag: string | null;
  /** When the picture last changed, by this desk's clock. */
  changed: number;
}

export function CameraPicture({ device }: { device: DeviceView }) {
  const words = useWords();
  const { live } = useScreen();
  const picture = useFrames(`/api/v1/cameras/${device.site}/${device.device}/frame.jpg`, live);
  const name = words.of(device.label);
  const still = picture ? Date.now() - picture.changed : 0;
  return (
    <span class={`picture ${live && picture && still < FROZEN_AFTER_MS ? "" : "stale"}`}>
      {picture && <img src={picture.address} alt={name} />}
      {!live ? (
        <span class="veil">{words.say("camera.notLive")}</span>
      ) : !picture ? (
        <span class="veil">{words.say("camera.none")}</span>
      ) : (
        still >= FROZEN_AFTER_MS && <span class="veil">{words.say("camera.frozen", { age: age(words, still) })}</span>
      )}
    </span>
  );
}

function useFrames(address: string, live: boolean): Picture | null {
  const [picture, setPicture] = useState<Picture | null>(null);

  useEffect(() => {
    if (!live) return;
    const stopped = new AbortController();
    let timer: number | undefined;
    let shown: Picture | null = null;
    const ask = async (): Promise<void> => {
      try {
        const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(PATIENCE_MS)]);
        const response = await fetch(address, { signal });
        if (response.ok) {
          const blob = await response.blob();
          const etag = response.headers.get("etag");
          if (!stopped.signal.aborted && (!shown || etag !== shown.etag)) {
            const before = shown;
            shown = { address: URL.createObjectURL(blob), etag, changed: Date.now() };
            setPicture(shown);
            if (before) URL.revokeObjectURL(before.address);
          }
        }
      } catch {
        // No answer is no new picture, and the age of the last one says so.
      }
      if (!stopped.signal.aborted) timer = window.setTimeout(() => void ask(), document.hidden ? PATIENCE_MS : PAUSE_MS);
    };
    void ask();
    return () => {
      stopped.abort();
      clearTimeout(timer);
      if (shown) URL.revokeObjectURL(shown.address);
      setPicture(null);
    };
  }, [address, live]);

  return picture;
}
