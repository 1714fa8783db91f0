// The frame: tabs, the state of the connection, the time bar, and the one view that is open.

import { fill, h, mark, say } from "../parts/element.js";
import { count } from "../parts/format.js";
import { line } from "../parts/text.js";
import { VIEWS } from "../views/index.js";
import { Band, TimeBar } from "./past.js";

/** Milliseconds until the address names a new position. */
const ADDRESS_MS = 300;

const THEMES = { auto: "light", light: "dark", dark: "auto" };

export class Shell {
  #app;
  #open = null;
  #opened = null;
  #past = null;
  #reset = false;
  #due = false;
  #later;

  /** @param {import("../main.js").App} app */
  constructor(app) {
    this.#app = app;
    app.navigate = (...path) => (location.hash = `/${path.map(encodeURIComponent).join("/")}${this.time.link}`);
    app.shell = this;
    this.main = h("main", { id: "main", tabindex: "-1" });
    this.band = new Band(app, () => this.time.go(null));
    this.link = h("span", { class: "link-state", role: "status" });
    this.sign = h("span", { class: "read-only", hidden: !app.locked, title: app.locked }, "read-only");
    this.tabs = h("nav", { class: "tabs", "aria-label": "Views" }, VIEWS.map((view) =>
      h("a", { href: `#/${view.name}`, "data-view": view.name }, view.title, h("kbd", { "aria-hidden": "true" }, view.key))));
    this.time = new TimeBar(app, (room) => this.#travel(room));
    document.body.append(this.#bar(), this.band.element, this.main, this.time.element, app.notices.element);
    for (const view of VIEWS) app.keys.add("Views", view.key, view.title, () => app.navigate(view.name));
    app.connection.onState(() => this.#showLink());
    addEventListener("hashchange", () => this.route());
    addEventListener("online", () => app.connection.hurry());
    setInterval(() => this.#showLink(), 1000);
    this.#theme(localStorage.getItem("hubbub.theme") ?? "auto");
    this.#showLink();
  }

  #bar() {
    this.themeButton = h("button", { type: "button", class: "quiet", onclick: () => this.#nextTheme() });
    const help = h("button", { type: "button", class: "quiet", "aria-label": "Keys", onclick: () => this.#app.keys.show() }, "?");
    this.#app.keys.add("Everywhere", "\\", "light, dark, or as the system", () => this.#nextTheme());
    return h("header", { class: "bar" },
      h("h1", {}, h("img", { src: "/page/icon.svg", alt: "" }), "hubbub"),
      this.tabs, h("div", { class: "tools" }, this.sign, this.link, this.themeButton, help));
  }

  /** Open the view that the address names. */
  route() {
    const [path, query = ""] = location.hash.replace(/^#\//, "").split("?");
    const [name, ...rest] = path.split("/").map(decoded);
    this.time.follow(query);
    this.#address();
    const view = VIEWS.find((each) => each.name === name) ?? VIEWS[0];
    for (const tab of this.tabs.children) {
      mark(tab, "aria-current", tab.dataset.view === view.name ? "page" : null);
      // On a narrow screen not all tabs are in sight.
      if (tab.dataset.view === view.name) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    document.title = `${view.title} · hubbub`;
    if (this.#open === view) {
      this.#opened.route?.(rest);
    } else {
      this.#opened?.close();
      fill(this.main);
      mark(this.main, "data-view", view.name);
      this.main.scrollTop = 0;
      this.#open = view;
      this.#opened = view.open(this.main, this.#app, rest);
      this.#reset = true;
    }
    this.refresh();
  }

  /** Bring the view up to date, once, before the next frame is drawn. */
  refresh() {
    if (this.#due) return;
    this.#due = true;
    // A page in the background gets no frames, and must not pile up events meanwhile.
    if (document.hidden) setTimeout(() => this.#draw(), 500);
    else requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#due = false;
    const { live } = this.#app;
    if (!live.room || !this.#opened) return;
    const events = live.take();
    if (live.takeAnew()) this.#reset = true;
    const change = {
      room: this.#past ?? live.room,
      events: this.#past ? [] : events,
      isPast: this.#past !== null,
      isLocked: this.#app.locked !== "",
      isReset: this.#reset,
    };
    this.#reset = false;
    try {
      this.#opened.update(change);
      // What is shown, for those who compare it: the event after which the room was so.
      mark(this.main, "data-position", change.room.position.seq);
    } finally {
      this.time.refresh();
    }
  }

  #travel(room) {
    this.#past = room;
    this.#app.isPast = room !== null;
    mark(document.body, "data-past", room !== null);
    this.band.show(room);
    this.#reset = true;
    this.#address();
    this.refresh();
  }

  /** Keep the address in step with the position, a little later: a slider moves often. */
  #address() {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => {
      const [path] = location.hash.split("?");
      const wanted = `${path}${this.time.link}`;
      if (location.hash !== wanted) history.replaceState(null, "", `${location.pathname}${wanted}`);
    }, ADDRESS_MS);
  }

  #showLink() {
    const { connection, live } = this.#app;
    const seconds = Math.ceil((connection.retryAt - Date.now()) / 1000);
    const text = {
      open: live?.room ? `live · ${count(live.room.position.seq)}` : "reading the room",
      connecting: "connecting",
      waiting: `no connection; next attempt in ${Math.max(0, seconds)} s`,
      refused: "this page's token has ended: run hubbub open",
    }[connection.state];
    mark(this.link, "data-state", connection.state);
    // Not read aloud each second.
    mark(this.link, "aria-live", connection.state === "open" ? "off" : "polite");
    say(this.link, text);
  }

  #nextTheme() {
    this.#theme(THEMES[document.documentElement.dataset.theme ?? "auto"]);
  }

  #theme(name) {
    mark(document.documentElement, "data-theme", name === "auto" ? null : name);
    localStorage.setItem("hubbub.theme", name);
    say(this.themeButton, { auto: "◐", light: "☀", dark: "☾" }[name]);
    mark(this.themeButton, "aria-label", `Colours: ${{ auto: "as the system", light: "light", dark: "dark" }[name]}`);
  }
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return line(part);
  }
}
