// Now.

import { h, say } from "../../parts/element.js";

/** @type {import("../index.js").View} */
export const now = {
  name: "now",
  title: "Now",
  key: "1",
  open(place, app) {
    const text = h("p", {});
    place.append(h("h2", {}, "Now"), text);
    return {
      update({ room }) {
        say(text, `position ${room.position.seq}`);
      },
      close() {},
    };
  },
};
