// What every part of the screen may look at.

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { Facts } from "./facts";
import { EMPTY, type World } from "./world";

export interface Screen {
  world: World;
  facts: Facts;
  /** The server's time, in milliseconds, renewed every second. */
  now: number;
  /** False while what is shown may be old. */
  live: boolean;
  operator: string | null;
  /** Ask for the operator's name, then go on with it. */
  nameOperator(then: (name: string) => void): void;
  /** The time of day at a site; at the first one where none is named. */
  time(instant: string | number, site?: string): string;
}

export const ScreenContext = createContext<Screen>({
  world: EMPTY,
  facts: new Facts(EMPTY),
  now: 0,
  live: false,
  operator: null,
  nameOperator: () => undefined,
  time: String,
});
export const useScreen = (): Screen => useContext(ScreenContext);
