// The live feed's connection: it comes back by itself, and knows when it is gone.

import type { FeedMessage } from "./api";

/** The server says something at least every 2 s; three silences in a row are a lost connection. */
const SILENCE_MS = 6_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

export type Connection = "connecting" | "live" | "lost";

export interface StreamEvents {
  message(message: FeedMessage): void;
  connection(connection: Connection): void;
}

/** Connect and stay connected; returns how to stop. */
export function follow(events: StreamEvents): () => void {
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/stream`;
  let socket: WebSocket | undefined;
  let wait = FIRST_WAIT_MS;
  let silence: number | undefined;
  let again: number | undefined;

  const connect = (): void => {
    const current = new WebSocket(address);
    socket = current;
    const lose = (): void => {
      if (socket !== current) return;
      socket = undefined;
      clearTimeout(silence);
      current.close();
      events.connection("lost");
      again = window.setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
    const watch = (): void => {
      clearTimeout(silence);
      silence = window.setTimeout(lose, SILENCE_MS);
    };
    current.onclose = lose;
    current.onmessage = ({ data }: MessageEvent<string>) => {
      if (socket !== current) return;
      watch();
      const message = JSON.parse(data) as FeedMessage;
      events.message(message);
      if (message.type === "snapshot") {
        wait = FIRST_WAIT_MS;
        events.connection("live");
      }
    };
    watch();
  };

  connect();
  return () => {
    const current = socket;
    socket = undefined;
    clearTimeout(silence);
    clearTimeout(again);
    current?.close();
  };
}
