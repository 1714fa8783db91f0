// JSON-RPC over one WebSocket that comes back by itself.
//
// A call that was not answered when the socket broke is sent again on the next one: reads do no
// harm twice, and every write carries an idempotency key, so that the daemon runs it once.

import { newKey } from "./key.js";
import { post } from "./post.js";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;

/** The daemon refused a call. */
class Refused extends Error {
  /** @param {{message: string, code: number, data?: any}} error */
  constructor(error) {
    super(error.message);
    this.code = error.data?.code ?? String(error.code);
    this.data = error.data ?? {};
  }
}

/** @typedef {"connecting" | "open" | "waiting" | "refused"} LinkState */

export class Connection {
  #token;
  #socket = null;
  #next = 1;
  #waiting = new Map();
  #handlers = new Map();
  #failures = 0;
  #listeners = new Set();

  /** @param {string} token */
  constructor(token) {
    this.#token = token;
    /** @type {LinkState} */
    this.state = "connecting";
    /** Unix milliseconds of the next attempt, while `state` is "waiting". */
    this.retryAt = 0;
  }

  /** Be told each time that `state` changes. */
  onState(listener) {
    this.#listeners.add(listener);
  }

  /** Take the notifications of one method. */
  on(method, handler) {
    this.#handlers.set(method, handler);
  }

  /**
   * Call a method.
   *
   * @param {string} method
   * @param {object} [params]
   * @param {{resend?: boolean}} [how] `resend: false`: fail when the connection breaks.
   * @returns {Promise<any>}
   * @throws {Refused}
   */
  call(method, params = {}, { resend = true } = {}) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
      this.#waiting.set(id, { text, resolve, reject, resend });
      if (this.state === "open") this.#socket.send(text);
      else if (!resend) this.#fail(id, "not connected");
    });
  }

  /** Call a method that writes, under a key of its own. */
  write(method, params = {}) {
    return this.call(method, { idempotency_key: newKey(), ...params });
  }

  open() {
    this.#become("connecting");
    const address = new URL("/rpc", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, ["hubbub", `token.${this.#token}`]);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (message) => this.#received(message.data));
    socket.addEventListener("close", () => this.#closed());
  }

  /** Try again now rather than later. */
  hurry() {
    if (this.state !== "waiting") return;
    clearTimeout(this.timer);
    this.open();
  }

  #opened() {
    this.#failures = 0;
    this.#become("open");
    for (const call of [...this.#waiting.values()]) this.#socket.send(call.text);
  }

  #received(text) {
    const message = JSON.parse(text);
    if (message.method) {
      this.#handlers.get(message.method)?.(message.params);
      return;
    }
    const call = this.#waiting.get(message.id);
    if (!call) return;
    this.#waiting.delete(message.id);
    if (message.error) call.reject(new Refused(message.error));
    else call.resolve(message.result);
  }

  async #closed() {
    for (const [id, call] of this.#waiting) if (!call.resend) this.#fail(id, "the connection broke");
    if (!(await this.#isWelcome())) {
      this.#become("refused");
      return;
    }
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.#failures += 1;
    this.retryAt = Date.now() + wait;
    this.#become("waiting");
    this.timer = setTimeout(() => this.open(), wait);
  }

  /** A socket does not say why it was refused; a POST does. */
  async #isWelcome() {
    try {
      const answer = await post("system.ping", {}, this.#token);
      return answer.error?.code !== "unauthorized";
    } catch {
      return true; // nobody there: worth waiting for
    }
  }

  #fail(id, why) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    call?.reject(new Refused({ message: why, code: 0, data: { code: "disconnected" } }));
  }

  #become(state) {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
