// Chat.

import { h, say } from "../../parts/element.js";

/** @type {import("../index.js").View} */
export const chat = {
  name: "chat",
  title: "Chat",
  key: "3",
  open(place, app) {
    const text = h("p", {});
    place.append(h("h2", {}, "Chat"), text);
    return {
      update({ room }) {
        say(text, `position ${room.position.seq}`);
      },
      close() {},
    };
  },
};
