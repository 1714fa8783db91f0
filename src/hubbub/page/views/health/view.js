// Health.

import { h, say } from "../../parts/element.js";

/** @type {import("../index.js").View} */
export const health = {
  name: "health",
  title: "Health",
  key: "6",
  open(place, app) {
    const text = h("p", {});
    place.append(h("h2", {}, "Health"), text);
    return {
      update({ room }) {
        say(text, `position ${room.position.seq}`);
      },
      close() {},
    };
  },
};
