// Runs.

import { h, say } from "../../parts/element.js";

/** @type {import("../index.js").View} */
export const runs = {
  name: "runs",
  title: "Runs",
  key: "2",
  open(place, app) {
    const text = h("p", {});
    place.append(h("h2", {}, "Runs"), text);
    return {
      update({ room }) {
        say(text, `position ${room.position.seq}`);
      },
      close() {},
    };
  },
};
