// What this browser remembers: the language, the operator's name, and whether sound is wanted.

const PREFIX = "firewatch.";

/** Storage may be switched off; the console then forgets, and works. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Nothing to do: see above.
  }
}
