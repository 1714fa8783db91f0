// Topics.

import { h, say } from "../../parts/element.js";

/** @type {import("../index.js").View} */
export const topics = {
  name: "topics",
  title: "Topics",
  key: "5",
  open(place, app) {
    const text = h("p", {});
    place.append(h("h2", {}, "Topics"), text);
    return {
      update({ room }) {
        say(text, `position ${room.position.seq}`);
      },
      close() {},
    };
  },
};
