// A tone for alarms that nobody has acknowledged, one figure for each class so that ears can tell them apart, one for a
// lost connection, and one for somebody who asks whether anybody is there.

import type { AlarmClass } from "./api";

interface Figure {
  /** Frequencies in Hz, one after another; 0 is a rest. */
  notes: number[];
  noteSeconds: number;
}

export type Call = AlarmClass | "lost" | "duty";

const FIGURES: Record<Call, Figure> = {
  fire: { notes: [960, 770, 960, 770, 960, 770], noteSeconds: 0.25 },
  security: { notes: [660, 0, 880], noteSeconds: 0.18 },
  supervisory: { notes: [520, 0, 520], noteSeconds: 0.16 },
  trouble: { notes: [392], noteSeconds: 0.22 },
  duty: { notes: [784, 988, 784, 988, 0, 784, 988, 784, 988], noteSeconds: 0.12 },
  lost: { notes: [587, 440, 330], noteSeconds: 0.3 },
};
export const REPEAT_MS = 3_000;
const VOLUME = 0.2;

export class Sounder {
  // A browser makes sound only after a click; the object is created by one.
  private readonly context = new AudioContext();

  play(call: Call): void {
    const { notes, noteSeconds } = FIGURES[call];
    notes.forEach((frequency, index) => {
      if (frequency > 0) this.note(frequency, this.context.currentTime + index * noteSeconds, noteSeconds);
    });
  }

  close(): void {
    void this.context.close();
  }

  private note(frequency: number, start: number, seconds: number): void {
    const oscillator = new OscillatorNode(this.context, { type: "triangle", frequency });
    const gain = new GainNode(this.context, { gain: 0 });
    // A short rise and fall: a square edge clicks.
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(VOLUME, start + 0.02);
    gain.gain.setValueAtTime(VOLUME, start + seconds - 0.03);
    gain.gain.linearRampToValueAtTime(0, start + seconds);
    oscillator.connect(gain).connect(this.context.destination);
    oscillator.start(start);
    oscillator.stop(start + seconds);
  }
}
