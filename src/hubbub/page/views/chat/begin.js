// A new conversation: with an agent that is known or not, under a name of its own.

import { h } from "../../parts/element.js";
import { agentId } from "./words.js";

/**
 * Ask with whom, and under which name.
 *
 * @param {string[]} agents that are known.
 * @returns {Promise<string | null>} the session's key; `null`: never mind.
 */
export function askForSession(agents) {
  return new Promise((resolve) => {
    const agent = h("input", { type: "text", list: "known-agents", required: true, maxlength: "64", value: agents[0] ?? "main", autocomplete: "off", autofocus: true });
    const name = h("input", { type: "text", maxlength: "400", value: "main", required: true, autocomplete: "off" });
    const dialog = h("dialog", { "aria-labelledby": "new-chat" },
      h("div", { class: "title" }, h("h2", { id: "new-chat" }, "A new conversation")),
      h("form", { class: "stack", onsubmit: (event) => (event.preventDefault(), done()) },
        h("datalist", { id: "known-agents" }, agents.map((each) => h("option", { value: each }))),
        h("label", { class: "stack" }, "With which agent", agent),
        h("label", { class: "stack" }, "Name of the conversation", name),
        h("p", { class: "soft" }, "Each agent has a conversation “main”; under another name begins one of its own."),
        h("div", { class: "row dialog-choice" },
          h("button", { type: "button", onclick: () => dialog.close() }, "Never mind"),
          h("button", { type: "submit", class: "main" }, "Begin"))));
    dialog.addEventListener("close", () => (dialog.remove(), resolve(null)));
    document.body.append(dialog);
    dialog.showModal();
    agent.select();
    function done() {
      const rest = name.value.trim();
      if (!rest) return;
      resolve(`agent:${agentId(agent.value)}:${rest}`);
      dialog.close();
    }
  });
}
