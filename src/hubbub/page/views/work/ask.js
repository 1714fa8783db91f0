// Questions to the person, each in a dialog with one form.

import { h, say } from "../../parts/element.js";

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {"text" | "area" | "choice" | "number"} [kind]
 * @property {string} [value]
 * @property {string[]} [choices]
 * @property {boolean} [needed]
 * @property {string} [hint]
 */

/**
 * Ask in a dialog. What the daemon refuses is shown in it, and nothing typed is lost.
 *
 * @param {object} question
 * @param {string} question.title
 * @param {string} [question.text]
 * @param {Field[]} [question.fields]
 * @param {string} question.does label of the button.
 * @param {boolean} [question.isDanger]
 * @param {(values: Record<string, string>) => Promise<any>} question.run
 */
export function ask({ title, text, fields = [], does, isDanger = false, run }) {
  const problem = h("p", { class: "work-problem", role: "alert" });
  const inputs = fields.map(inputOf);
  const send = h("button", { type: "submit", class: isDanger ? "danger" : "main" }, does);
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h("form", { class: "stack", onsubmit: submit }, inputs.map(({ element }) => element), problem,
    h("div", { class: "row" }, send, cancel));
  const dialog = h("dialog", { class: "work-dialog", "aria-labelledby": "ask-title", onclose: () => dialog.remove() },
    h("div", { class: "stack" }, h("h2", { id: "ask-title" }, title), text && h("p", { class: "soft" }, text), form));
  async function submit(event) {
    event.preventDefault();
    send.disabled = true;
    try {
      await run(Object.fromEntries(inputs.map(({ name, input }) => [name, input.value])));
      dialog.close();
    } catch (error) {
      say(problem, error.message);
    } finally {
      send.disabled = false;
    }
  }
  // Ctrl+Enter sends from a text of several lines too.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  document.body.append(dialog);
  dialog.showModal();
  // Of a question without fields the harmless answer has the focus.
  (inputs[0]?.input ?? cancel).focus();
  return dialog;
}

let made = 0;

function inputOf({ name, label, kind = "text", value = "", choices = [], needed = false, hint }) {
  const id = `ask-${(made += 1)}`;
  const input = {
    text: () => h("input", { id, type: "text", required: needed, autocomplete: "off" }),
    number: () => h("input", { id, type: "number", min: 1, step: 1, required: needed, autocomplete: "off" }),
    area: () => h("textarea", { id, rows: 6, required: needed }),
    choice: () => h("select", { id }, choices.map((choice) => h("option", { value: choice }, choice))),
  }[kind]();
  input.value = value;
  return { name, input, element: h("div", { class: "work-field" }, h("label", { for: id }, label), input, hint && h("p", { class: "soft" }, hint)) };
}
