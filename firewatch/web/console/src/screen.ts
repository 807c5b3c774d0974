// What every part of the screen may look at.

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { EMPTY, type World } from "./world";

export interface Screen {
  world: World;
  /** The server's time, in milliseconds, renewed every second. */
  now: number;
  /** False while what is shown may be old. */
  live: boolean;
  timeZone: string;
  operator: string | null;
  /** Ask for the operator's name, then go on with it. */
  nameOperator(then: (name: string) => void): void;
  /** The time of day at the compound. */
  time(instant: string | number): string;
}

export const ScreenContext = createContext<Screen>({
  world: EMPTY,
  now: 0,
  live: false,
  timeZone: "UTC",
  operator: null,
  nameOperator: () => undefined,
  time: String,
});
export const useScreen = (): Screen => useContext(ScreenContext);
