// What a visitor has made: pictures in order, where they stand among them, and what is told about each. The server holds
// the same dialogue as a session, so that a turn says only which picture it is about.

import { ask, events, failure, file, forget, forgetSession } from "./api.js";
import { toDataUri } from "./files.js";
import { clear, empty, layers, painter, show } from "./stage.js";

export class Studio {
  constructor(tell) {
    this.tell = tell; // (what, values): "painting", "waiting", "lost", "note", "changed"
    this.pictures = [];
    this.place = -1;
    this.busy = false;
    this.turn = 0;
    this.session = null;
    this.cancelled = null; // the turn that was given up
    this.painting = null; // the name of what is being painted, which may be stopped
    this.underway = Promise.resolve();
  }

  // What is being painted belongs to nobody any more: it is neither shown nor kept.
  stop() {
    this.turn += 1;
  }

  // Gives up what is being painted; what was there before comes back.
  cancel() {
    if (this.painting) forget(this.painting);
    this.cancelled = this.turn;
    this.stop();
  }

  get current() {
    return this.pictures[this.place] ?? null;
  }

  async add(blob, facts) {
    this.pictures.splice(this.place + 1).forEach(drop);
    this.pictures.push({ blob, url: URL.createObjectURL(blob), ...facts });
    this.place = this.pictures.length - 1;
    await show(blob);
    this.tell("changed");
  }

  async go(place) {
    if (!this.pictures[place]) return;
    this.place = place;
    clear();
    await show(this.current.blob);
    this.tell("changed");
  }

  // Paints, or edits the current picture; both are a painting whose rows appear on the canvas.
  paint(words, options = {}) {
    return this.#during(this.#paint(words, options));
  }

  async #paint(words, { edit = false, size, seed }) {
    const body = { say: words, ability: edit ? "edit" : "paint", output_format: "png", seed };
    if (!edit) body.size = size;
    clear();
    this.tell("painting", { words });
    const { turn, current } = this;
    try {
      const { painting, session, ...told } = await this.#say(body, edit ? current : null);
      const picture = await this.#watch(painting, turn, layers.canvas);
      if (picture && turn === this.turn) {
        const { blob, seed: drawn, unknown } = picture;
        await this.add(blob, { session, turn: told.turn, words, edit, id: painting.id, seed: drawn, size, unknown });
        return turn === this.turn;
      }
      return false;
    } finally {
      const isOurs = turn === this.turn || turn === this.cancelled;
      if (isOurs && this.current === current) await (current ? show(current.blob) : empty()); // nothing came of it
    }
  }

  // Paints what the model sees in the current picture onto the overlay; what was seen once is kept with the picture.
  perceive(ability) {
    return this.#during(this.#perceive(this.current, ability));
  }

  async #perceive(current, ability) {
    const { overlay } = layers;
    const appear = () => overlay.classList.add("shown");
    overlay.getContext("2d").clearRect(0, 0, overlay.width, overlay.height);
    current.maps ??= {};
    const { turn } = this;
    if (current.maps[ability]) {
      const shown = painter(overlay, () => turn === this.turn, appear);
      await shown.rest(current.maps[ability], 1);
      await shown.end();
      return true;
    }
    const { painting } = await this.#say({ ability, output_format: "png" }, current);
    const picture = await this.#watch(painting, turn, overlay, appear);
    if (picture) current.maps[ability] = picture.blob;
    forget(painting.id);
    return picture !== null;
  }

  // Says something in the session, about one of its pictures. A session that the server has no more, because nobody spoke
  // for long or because it was begun anew, is replaced by another, which is shown the picture first.
  async #say(body, about, again = false) {
    const { turn: begun } = this;
    this.session ??= (await ask("v1/sessions", {})).id;
    const { session } = this;
    const path = `v1/sessions/${session}/turns`;
    try {
      if (about && about.session !== session) {
        const { turn } = await ask(path, { image: await toDataUri(about.blob) });
        Object.assign(about, { session, turn });
      }
      return { session, ...(await ask(path, about ? { ...body, about: [about.turn] } : body)) };
    } catch (error) {
      if (again || begun !== this.turn || error.code !== "session_not_found") throw error;
      if (this.session === session) this.session = null;
      return this.#say(body, about, true);
    }
  }

  async #watch({ id, ahead }, turn, target, onFirstRow) {
    const isOurs = () => turn === this.turn;
    if (ahead > 0) this.tell("waiting", { count: ahead });
    const shown = painter(target, isOurs, onFirstRow);
    let rows = 1;
    let unknown = [];
    this.painting = id;
    this.tell("changed");
    try {
      for await (const { name, data } of events(id, () => this.tell("lost"))) {
        if (!isOurs()) return null;
        if (name === "row") ({ rows } = data);
        if (name === "strip") shown.strip(data);
        if (name === "note") this.tell("note", data);
        if (name === "note") unknown = [...unknown, ...data.unknown];
        if (name === "error") throw failure(data.error);
        if (name === "picture") {
          const blob = await file(data.url.slice(1));
          await shown.rest(blob, rows);
          return { blob, unknown, ...data };
        }
      }
      return null;
    } finally {
      if (this.painting === id) this.painting = null;
      await shown.end();
    }
  }

  async question(words) {
    return (await this.#during(this.#say({ say: words, ability: "ask" }, this.current))).answer;
  }

  #during(work) {
    this.underway = work.catch(() => {});
    return work;
  }

  async find() {
    return (await ask("v1/detect", { image: await toDataUri(this.current.blob) })).objects;
  }

  // Deletes the session; what is under way in it ends first, unless the page is about to be gone.
  leave({ atOnce = false } = {}) {
    const { session } = this;
    this.session = null;
    if (session && atOnce) forgetSession(session);
    else if (session) this.underway.then(() => forgetSession(session));
    for (const { url } of this.pictures.splice(0)) URL.revokeObjectURL(url);
    this.place = -1;
    this.tell("changed");
  }
}

function drop({ id, url }) {
  if (id) forget(id);
  URL.revokeObjectURL(url);
}
