// Small charts: the last values of a figure as a line, drawn without axes.

import { mark, svg } from "./element.js";

/**
 * A line of values, scaled to its own peak.
 *
 * The numbers stand beside it as text; to who cannot see it the drawing says nothing more.
 */
export class Sparkline {
  #line = svg("path", { class: "spark-line" });
  #area = svg("path", { class: "spark-area" });
  #points;

  /** @param {number} points values shown at most. */
  constructor(points) {
    this.#points = points;
    this.element = svg("svg", {
      class: "spark", viewBox: `0 0 ${points - 1} 24`, preserveAspectRatio: "none", "aria-hidden": "true",
    }, this.#area, this.#line);
  }

  /**
   * Draw values, the newest at the right.
   *
   * @param {ArrayLike<number>} values
   * @param {number} [floor] the peak that fills the height at least.
   */
  draw(values, floor = 1) {
    let peak = floor;
    for (let i = 0; i < values.length; i += 1) peak = Math.max(peak, values[i]);
    const first = this.#points - values.length;
    let path = "";
    for (let i = 0; i < values.length; i += 1) {
      path += `${path ? "L" : "M"}${first + i} ${(22.5 - (21 * values[i]) / peak).toFixed(1)}`;
    }
    mark(this.#line, "d", path || null);
    mark(this.#area, "d", path ? `${path}L${this.#points - 1} 24L${first} 24Z` : null);
  }
}
