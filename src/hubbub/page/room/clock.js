// The daemon's clock, as far as this page can tell: leases end by it, not by the browser's.

/** @typedef {{now: () => number}} Clock */

export class DaemonClock {
  // Milliseconds that the daemon's clock is ahead of the browser's.
  #ahead = 0;

  /** Unix milliseconds at the daemon. */
  now() {
    return Date.now() + this.#ahead;
  }

  /** An event was told with this time: no event is of the future, so the clock is as late at least. */
  heard(at) {
    this.#ahead = Math.max(this.#ahead, at - Date.now());
  }

  /**
   * Compare the clocks, to half of the time that an answer takes.
   *
   * @param {() => Promise<{now?: number}>} ask
   */
  async compare(ask) {
    const asked = Date.now();
    const { now } = await ask();
    if (now !== undefined) this.#ahead = now - (asked + Date.now()) / 2;
  }
}
