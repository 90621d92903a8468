// What a visitor has made: pictures in order, where they stand among them, and what is told about each.

import { ask, events, file, forget } from "./api.js";
import { toDataUri } from "./files.js";
import { clear, layers, painter, show } from "./stage.js";

export class Studio {
  constructor(tell) {
    this.tell = tell; // (what, values): "painting", "waiting", "lost", "note", "changed"
    this.pictures = [];
    this.place = -1;
    this.busy = false;
    this.turn = 0;
  }

  // What is being painted belongs to nobody any more: it is neither shown nor kept.
  stop() {
    this.turn += 1;
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
  async paint(words, { edit = false, size, seed } = {}) {
    const body = { prompt: words, output_format: "png", ...(seed === undefined ? {} : { seed }) };
    const before = this.current;
    if (edit) body.image = await toDataUri(before.blob);
    else if (size) body.size = size;
    clear();
    this.tell("painting", { words });
    const { turn } = this;
    const picture = await this.#watch(body, layers.canvas);
    if (!picture) return false;
    if (turn === this.turn) await this.add(picture.blob, { words, edit, id: picture.id, seed: picture.seed, size });
    else forget(picture.id);
    return turn === this.turn;
  }

  // Paints what the model sees in the current picture onto the overlay.
  async perceive(ability) {
    const body = { ability, image: await toDataUri(this.current.blob), output_format: "png" };
    layers.overlay.getContext("2d").clearRect(0, 0, layers.overlay.width, layers.overlay.height);
    const picture = await this.#watch(body, layers.overlay, () => layers.overlay.classList.add("shown"));
    if (picture) forget(picture.id);
  }

  async #watch(body, target, onFirstRow) {
    const { turn } = this;
    const isOurs = () => turn === this.turn;
    const { id, ahead } = await ask("v1/paintings", body);
    if (ahead > 0) this.tell("waiting", { count: ahead });
    const shown = painter(target, isOurs, onFirstRow);
    let rows = 1;
    try {
      for await (const { name, data } of events(id, () => this.tell("lost"))) {
        if (!isOurs()) {
          forget(id);
          return null;
        }
        if (name === "row") ({ rows } = data);
        if (name === "strip") shown.strip(data);
        if (name === "note") this.tell("note", { text: data.text });
        if (name === "error") throw new Error(data.error.message);
        if (name === "picture") {
          const blob = await file(data.url.slice(1));
          await shown.rest(blob, rows);
          return { id, blob, ...data };
        }
      }
      return null;
    } finally {
      await shown.end();
    }
  }

  async question(words) {
    return (await ask("v1/ask", { question: words, image: await toDataUri(this.current.blob) })).answer;
  }

  async find() {
    return (await ask("v1/detect", { image: await toDataUri(this.current.blob) })).objects;
  }

  leave() {
    this.pictures.splice(0).forEach(drop);
    this.place = -1;
    this.tell("changed");
  }
}

function drop({ id, url }) {
  if (id) forget(id);
  URL.revokeObjectURL(url);
}
