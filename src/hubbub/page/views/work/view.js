// Work.

import { h, say } from "../../parts/element.js";

/** @type {import("../index.js").View} */
export const work = {
  name: "work",
  title: "Work",
  key: "4",
  open(place, app) {
    const text = h("p", {});
    place.append(h("h2", {}, "Work"), text);
    return {
      update({ room }) {
        say(text, `position ${room.position.seq}`);
      },
      close() {},
    };
  },
};
