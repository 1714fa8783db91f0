// What a person can do here, and under which lock.
//
// The page speaks as the operator, who may hold locks for anybody: claims are made under the name
// that the person gives. A grant is remembered in this tab, and every write to its issue presents
// the grant's fence; so a write of somebody whose lock has gone meanwhile is refused, not done.

import { ask } from "./ask.js";

const NAME = "hubbub.claim-as";
const GRANTS = "hubbub.grants";

export const LEASES = [["15 minutes", 900_000], ["1 hour", 3_600_000], ["4 hours", 14_400_000], ["1 day", 86_400_000]];

export class Acts {
  #app;
  #onChange;

  /**
   * @param {import("../../main.js").App} app
   * @param {() => void} onChange a grant has come or gone, without any event.
   */
  constructor(app, onChange) {
    this.#app = app;
    this.#onChange = onChange;
    this.grants = new Map(read(sessionStorage, GRANTS, []));
    this.leaseMs = 3_600_000;
  }

  /** The name under which this person claims. */
  get name() {
    return localStorage.getItem(NAME) || "operator";
  }

  set name(name) {
    localStorage.setItem(NAME, name.trim() || "operator");
    this.#onChange();
  }

  /**
   * Adopt the grants that the room shows for this person: another tab may have made them.
   *
   * @param {import("../../room/fold.js").Room} room the live one.
   */
  adopt(room) {
    for (const lock of room.locks.values()) {
      if (lock.holder === this.name && this.grants.get(lock.issue_id)?.fence !== lock.fence) this.#granted(lock);
    }
    for (const id of this.grants.keys()) if (!room.issues.has(id)) this.forget(id);
  }

  /**
   * Say what has become of this person's grant of an issue.
   *
   * @returns {"none" | "good" | "ended"}
   */
  state(room, id) {
    const grant = this.grants.get(id);
    if (!grant) return "none";
    return room.locks.get(id)?.fence === grant.fence ? "good" : "ended";
  }

  /** Write to an issue, under the person's grant if there is one. */
  write(method, id, params = {}) {
    const grant = this.grants.get(id);
    return this.#app.write(method, { id, ...params, ...(grant ? { fence: grant.fence } : {}) });
  }

  create(params) {
    return this.#app.write("issues.create", params);
  }

  async claim(id) {
    this.#granted(await this.#app.write("locks.claim", { issue_id: id, agent: this.name, lease_ms: this.leaseMs }));
    this.#app.notices.tell(`#${id} is yours: ${this.name}, fence ${this.grants.get(id).fence}.`, "good");
  }

  async renew(id) {
    const { fence, holder } = this.grants.get(id);
    this.#granted(await this.#app.write("locks.renew", { issue_id: id, fence, agent: holder, lease_ms: this.leaseMs }));
  }

  async release(id) {
    const { fence, holder } = this.grants.get(id);
    await this.#app.write("locks.release", { issue_id: id, fence, agent: holder });
    this.forget(id);
  }

  /** Ask for a reason, and take the lock from its holder. */
  steal(lock, title) {
    ask({
      title: `Take the lock of #${lock.issue_id} from ${title(lock.holder)}?`,
      text: `Fence ${lock.fence} ends at once. ${title(lock.holder)} is not stopped, but whatever it still writes to this issue with that fence is refused, and it is told who took the lock and why.`,
      fields: [{ name: "reason", label: "Reason, for the journal", needed: true, hint: "For example: its run hangs since noon." }],
      does: `Take it as ${title(this.name)}`, isDanger: true,
      run: async ({ reason }) => {
        this.#granted(await this.#app.write("locks.steal", { issue_id: lock.issue_id, agent: this.name, reason, lease_ms: this.leaseMs }));
      },
    });
  }

  /** Write without a lock from now on. */
  forget(id) {
    this.grants.delete(id);
    this.#keep();
  }

  #granted(lock) {
    this.grants.set(lock.issue_id, { fence: lock.fence, holder: lock.holder });
    this.#keep();
  }

  #keep() {
    sessionStorage.setItem(GRANTS, JSON.stringify([...this.grants]));
    this.#onChange();
  }
}

function read(storage, key, otherwise) {
  try {
    return JSON.parse(storage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
