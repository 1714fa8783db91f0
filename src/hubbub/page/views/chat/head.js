// The head of a conversation: its name, its agent, and what may be done with it.

import { asked, confirmed } from "../../parts/dialogs.js";
import { h, mark, say } from "../../parts/element.js";
import { hue } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { STRATEGIES, agentOfKey, strategyOf, titleOf } from "./words.js";

const MOST_LABEL = 64;
/** The one conversation that cannot be deleted, only begun anew. */
const MAIN = "agent:main:main";

export class Head {
  #app;
  #conversation;
  #row = null;

  /**
   * @param {import("../../main.js").App} app
   * @param {import("./conversation.js").Conversation} conversation
   */
  constructor(app, conversation) {
    this.#app = app;
    this.#conversation = conversation;
    this.title = h("h2", {});
    this.agent = h("span", { class: "agent-name" });
    this.key = h("code", { class: "soft session-key" });
    this.policy = h("select", { onchange: () => this.#setPolicy() }, STRATEGIES.map(([value, title]) => h("option", { value }, title.toLowerCase())));
    const button = (text, run) => h("button", { type: "button", class: "quiet small", onclick: run }, text);
    this.remove = button("Delete", () => this.#delete());
    this.buttons = h("div", { class: "row head-buttons" },
      h("label", { class: "row soft policy" }, "second message:", this.policy),
      button("Rename", () => this.rename()), button("Begin anew", () => this.#reset()), this.remove);
    this.element = h("header", { class: "chat-head" },
      h("a", { class: "as-button back", href: "#/chat", "aria-label": "All conversations" }, "←"),
      h("div", { class: "chat-name" }, this.title, h("div", { class: "row" }, this.agent, this.key)), this.buttons);
  }

  /** @param {any} row the session as the room has it, or nothing. */
  draw(row) {
    const { session } = this.#conversation;
    this.#row = row;
    const agent = row?.agent ?? agentOfKey(session);
    say(this.title, titleOf(session, row));
    say(this.agent, line(agent, 60));
    say(this.key, line(session, 120));
    this.agent.style.setProperty("--hue", hue(agent));
    this.buttons.hidden = this.#app.locked !== "" || !this.#conversation.exists;
    this.remove.hidden = session === MAIN;
    if (document.activeElement !== this.policy) this.policy.value = strategyOf(row);
    mark(this.title, "title", line(session, 300));
  }

  #setPolicy() {
    this.#patch({ multitaskStrategy: this.policy.value });
  }

  async rename() {
    if (this.#app.locked || !this.#conversation.exists) return;
    const label = await asked({
      title: "Rename the conversation", label: "Label", value: this.#row?.fields?.label ?? "",
      hint: "Without a label it has the name of its key.", action: "Rename", limit: MOST_LABEL,
    });
    if (label !== null) this.#patch({ label: label.trim() || null });
  }

  #patch(changes) {
    return this.#app.told(this.#app.write("chat.session_patch", { session: this.#conversation.session, changes }));
  }

  async #reset() {
    const yes = await confirmed({
      title: "Begin this conversation anew?",
      text: "Its agent forgets what was said. The old messages are kept under an id of their own, and no longer shown here.",
      action: "Begin anew",
    });
    if (yes) await this.#app.told(this.#app.write("chat.session_reset", { session: this.#conversation.session }));
  }

  async #delete() {
    const yes = await confirmed({
      title: "Delete this conversation?",
      text: `“${titleOf(this.#conversation.session, this.#row)}” and all its messages are gone for good. The runs of its turns stay.`,
      action: "Delete",
    });
    if (!yes) return;
    const deleted = await this.#app.told(this.#app.write("chat.session_delete", { session: this.#conversation.session }));
    if (deleted) this.#app.navigate("chat");
  }
}
