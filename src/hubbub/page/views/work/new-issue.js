// The question for a new issue.

import { ask } from "./ask.js";

export const PRIORITIES = ["low", "medium", "high", "critical"];

/** Ask for a new issue, and open it. */
export function askNew(app, acts, parent = null) {
  ask({
    title: parent === null ? "New issue" : `New subissue of #${parent}`, does: "Open issue",
    fields: [
      { name: "title", label: "Title", needed: true },
      { name: "description", label: "Description", kind: "area" },
      { name: "priority", label: "Priority", kind: "choice", choices: PRIORITIES, value: "medium" },
    ],
    run: async ({ title, description, priority }) => {
      const issue = await acts.create({ title, description: description || null, priority, parent_id: parent });
      app.navigate("work", String(issue.id));
    },
  });
}
