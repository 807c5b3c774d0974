// What every part of the screen may look at.

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import type { Action, LocalText, SeatView } from "./api";
import { Facts } from "./facts";
import { EMPTY, type World } from "./world";

/** What seldom changes: a part that looks at no more than this is not drawn anew with every message and second. */
export interface Desk {
  /** False while what is shown may be old. */
  live: boolean;
  operator: string | null;
  /** Ask for the operator's name, then go on with it. */
  nameOperator(then: (name: string) => void): void;
  /** From now on what is done here is recorded under this name. */
  setOperator(name: string): void;
  /** All seats of the control room; none until they are known. */
  seats: readonly SeatView[];
  /** The one that this screen stands at; null where nobody has said so, and it is then everyone's. */
  seat: string | null;
  /** The time of day at a site; at the first one where none is named. */
  time(instant: string | number, site?: string): string;
  /** The same, with the date unless it is today's. */
  moment(instant: string | number, site?: string): string;
  buildingLabel(site: string, building: string): LocalText | null;
  /** What a device (`site/device`) can be asked for by that name; undefined until that is known. */
  action(device: string, name: string): Action | undefined;
}

export const DeskContext = createContext<Desk>({
  live: false,
  operator: null,
  nameOperator: () => undefined,
  setOperator: () => undefined,
  seats: [],
  seat: null,
  time: String,
  moment: String,
  buildingLabel: () => null,
  action: () => undefined,
});
export const useDesk = (): Desk => useContext(DeskContext);

export interface Scene {
  world: World;
  facts: Facts;
}

export const SceneContext = createContext<Scene>({ world: EMPTY, facts: new Facts(EMPTY) });

/** The server's time, in milliseconds, renewed every second. */
export const NowContext = createContext(0);
export const useNow = (): number => useContext(NowContext);

export type Screen = Desk & Scene & { now: number };
export const useScreen = (): Screen => ({ ...useDesk(), ...useContext(SceneContext), now: useNow() });
