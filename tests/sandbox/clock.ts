/** A clock that stands still until a test moves it. */
export class Clock {
  #time = Date.parse("2026-11-23T12:00:00.000Z");

  /** The time, as simulated providers ask for it. */
  readonly now = (): Date => new Date(this.#time);

  /** Lets some seconds pass. */
  advance(seconds: number): void {
    this.#time += seconds * 1000;
  }
}
