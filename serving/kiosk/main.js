// The page: what is touched, what happens then, and what is said about it.

import { ask } from "./api.js";
import * as files from "./files.js";
import { watch } from "./idle.js";
import * as stage from "./stage.js";
import { Studio } from "./studio.js";
import { language, load, say, speak } from "./words.js";

const at = (id) => document.getElementById(id);
const ATTRACT_MS = 7000;
const RETRY_MS = 1000;
// What is said of errors, by the codes that the server gives them; of others, what it says itself.
const PROBLEMS = {
  gone: "gone", stopping: "gone", unavailable: "gone", queue_full: "crowded", busy: "crowded", timeout: "slow", worker_lost: "failed",
  painting_not_found: "failed", cancelled: "failed", out_of_memory: "failed", session_full: "full", invalid_image: "unreadable",
};
let config;
let kind = "paint";
let closeCamera = () => {};

const studio = new Studio((what, values = {}) => {
  if (what === "changed") refresh();
  else if (what === "note") caption(values.unknown.length ? strange(values.unknown) : values.text);
  else caption(say(what, values));
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const named = (name) => (language === "zh" && config.presets.names?.[name]) || name;
const listed = (words) => words.join(language === "zh" ? "、" : ", ");
const strange = (words) => say("unknown", { words: listed(words.map((word) => (language === "zh" ? `“${word}”` : `"${word}"`))) });

// What a picture was made of, and what of it the model does not know.
function told({ words, unknown = [] }, how = "{words}") {
  return [how.replace("{words}", words ?? say("photo")), unknown.length ? strange(unknown) : ""].join("\n").trim();
}

function caption(text, mood = "") {
  at("caption").className = mood;
  at("caption").textContent = text;
}

// One thing at a time: buttons rest while something is done, and what goes wrong is said.
async function doing(work) {
  if (studio.busy) return;
  studio.busy = true;
  refresh();
  try {
    await work();
  } catch (error) {
    caption(say(PROBLEMS[error.code] ?? "problem", { reason: error.message }), "problem");
  } finally {
    studio.busy = false;
    refresh();
  }
}

function refresh() {
  const { current, busy, place, pictures } = studio;
  const has = (ability) => config.abilities.includes(ability);
  const enable = (id, may) => (at(id).disabled = busy || !may);
  enable("undo", place > 0);
  enable("redo", place < pictures.length - 1);
  enable("compare", place > 0);
  enable("again", current?.words);
  enable("save", current);
  enable("print", current);
  enable("phone", current?.id);
  enable("boxes-button", current && has("detect"));
  enable("segments-button", current && has("segment"));
  enable("edges-button", current && has("edges"));
  enable("kind-edit", current && has("edit"));
  enable("kind-ask", current && has("ask"));
  for (const id of ["camera", "file"]) enable(id, has("edit") || has("ask"));
  if (!navigator.mediaDevices) at("camera").disabled = true; // away from this machine, without TLS
  const painting = busy && studio.painting !== null;
  at("stop").hidden = !painting;
  at("camera").hidden = at("file").hidden = painting;
  document.querySelector("#wish .primary").disabled = busy;
  at("picture").setAttribute("aria-label", current ? say("picture_of", { number: place + 1, words: current.words ?? say("photo") }) : say("stage"));
  at("gallery").replaceChildren(...pictures.map(thumbnail));
}

function thumbnail({ url, words }, number) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const image = new Image();
  image.src = url;
  image.alt = say("picture_of", { number: number + 1, words: words ?? say("photo") });
  button.setAttribute("aria-current", number === studio.place);
  button.onclick = () => doing(() => go(number));
  button.append(image);
  item.append(button);
  return item;
}

function choose(wanted) {
  kind = wanted;
  document.body.dataset.wish = kind;
  for (const button of document.querySelectorAll("[data-kind]")) {
    const chosen = button.dataset.kind === kind;
    button.setAttribute("aria-checked", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  at("words").placeholder = say(`say_${kind}`);
  at("presets").replaceChildren(
    ...(config.presets[kind] ?? []).map((preset) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.textContent = preset[language];
      button.onclick = () => wish(preset[language]);
      item.append(button);
      return item;
    }),
  );
}

function wish(words) {
  if (!words.trim()) return at("words").focus();
  return doing(async () => {
    release();
    if (kind === "ask") {
      caption("…");
      caption(await studio.question(words), "answer");
    } else {
      if (!(await studio.paint(words, { edit: kind === "edit", size: config.presets.size }))) return stopped();
      caption(told(studio.current, say("done")));
      if (kind === "paint" && config.abilities.includes("edit")) choose("edit");
    }
    at("words").value = "";
  });
}

function stopped() {
  if (document.body.dataset.mode === "studio") caption(say("stopped"));
}

function again() {
  return doing(async () => {
    const { words, edit, size } = studio.current;
    if (edit) await studio.go(studio.place - 1);
    if (await studio.paint(words, { edit, size })) caption(told(studio.current, say("done")));
    else stopped();
  });
}

async function go(place) {
  release();
  await studio.go(place);
  caption(told(studio.current));
}

// What is laid over the picture: one layer at a time, each a switch.

const LAYERS = { "boxes-button": find, "segments-button": () => perceive("segment"), "edges-button": () => perceive("edges") };

function release() {
  for (const id of Object.keys(LAYERS)) at(id).setAttribute("aria-pressed", "false");
  at("legend").replaceChildren();
  stage.clear();
}

function toggle(id) {
  const on = at(id).getAttribute("aria-pressed") === "true";
  release();
  if (!on) {
    doing(async () => {
      if (await LAYERS[id]()) at(id).setAttribute("aria-pressed", "true");
    });
  }
}

async function find() {
  const objects = (await studio.find()).map((one) => ({ ...one, label: named(one.label) }));
  stage.found(objects);
  caption(listed(objects.map(({ label }) => label)) || say("nothing_found"));
  return true;
}

async function perceive(ability) {
  if (!(await studio.perceive(ability))) return false;
  const seen = stage.layers.overlay.getContext("2d").getImageData(0, 0, stage.layers.overlay.width, stage.layers.overlay.height).data;
  const near = ([red, green, blue]) => {
    for (let i = 0; i < seen.length; i += 4) {
      if (Math.abs(seen[i] - red) + Math.abs(seen[i + 1] - green) + Math.abs(seen[i + 2] - blue) < 24) return true;
    }
    return false;
  };
  at("legend").replaceChildren(
    ...Object.entries(config.labels[ability] ?? {}).filter(([, colour]) => near(colour)).map(([name, colour]) => {
      const item = document.createElement("li");
      const swatch = document.createElement("i");
      swatch.style.background = `rgb(${colour})`;
      item.append(swatch, named(name));
      return item;
    }),
  );
  return true;
}

function compare(before) {
  const shown = before ? studio.pictures[studio.place - 1] : studio.current;
  if (shown) stage.show(shown.blob);
}

// Pictures from outside, and to outside.

async function take(source) {
  const [width, height] = (config.presets.size ?? config.default_size).split("x").map(Number);
  release();
  await studio.add(await files.fitted(source, [width, height]), {});
  choose(config.abilities.includes("edit") ? "edit" : "ask");
  caption(say(config.domain ? "photo_read" : "photo"));
}

async function camera() {
  const dialog = at("camera-view");
  at("camera-error").textContent = "";
  dialog.showModal();
  try {
    closeCamera = await files.openCamera(at("video"));
    at("shoot").disabled = false;
  } catch {
    at("shoot").disabled = true;
    at("camera-error").textContent = say("no_camera");
  }
}

function phone() {
  const { id } = studio.current;
  at("qr").src = `kiosk/qr.svg?painting=${id}`;
  at("qr").alt = at("address").textContent = `${config.share}/share/${id}`;
  at("phone-view").showModal();
}

const label = () => (config.label ? say("made_by_ai") : "");

async function save() {
  const { blob, seed } = studio.current;
  files.download(await files.labelled(blob, label()), `edgevlo-${seed ?? "photo"}.png`);
}

// Nobody there: the page paints for itself, so that somebody comes. A server that was begun anew may have another model,
// so the page is, too.

async function attract() {
  for (let turn = 0; ; turn += 1) {
    if (document.body.dataset.mode === "attract" && !document.hidden && !studio.busy) {
      const presets = config.presets.paint ?? [];
      const preset = presets[turn % presets.length];
      const now = await ask("kiosk/config.json").catch(() => config);
      if (now.instance !== config.instance && document.body.dataset.mode === "attract") location.reload();
      else if (preset && document.body.dataset.mode === "attract") {
        try {
          if (await studio.paint(preset[language], { size: config.presets.size })) {
            caption(preset[language]);
            studio.leave();
          }
        } catch {
          caption("");
        }
      }
    }
    await pause(ATTRACT_MS);
  }
}

function begin() {
  document.body.dataset.mode = "studio";
  studio.stop();
  studio.leave();
  stage.empty();
  choose("paint");
  caption("");
  at("words").focus();
}

function leave() {
  document.body.dataset.mode = "attract";
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  at("words").value = "";
  release();
  studio.stop();
  studio.leave();
  stage.empty();
  caption("");
}

function speakAll(wanted) {
  speak(wanted);
  at("language").textContent = wanted === "zh" ? "English" : "中文";
  at("language").lang = wanted === "zh" ? "en" : "zh";
  at("licence").textContent = say("licence", config);
  at("made-by-ai").textContent = say("made_by_ai");
  choose(kind);
  refresh();
}

function listen() {
  at("language").onclick = () => speakAll(language === "zh" ? "en" : "zh");
  at("begin").onclick = begin;
  at("stop").onclick = () => studio.cancel();
  at("leave").onclick = leave;
  at("undo").onclick = () => doing(() => go(studio.place - 1));
  at("redo").onclick = () => doing(() => go(studio.place + 1));
  at("again").onclick = again;
  at("save").onclick = () => doing(save);
  at("print").onclick = () => print();
  at("phone").onclick = phone;
  at("camera").onclick = camera;
  at("file").onclick = () => at("chosen").click();
  at("chosen").onchange = ({ target }) => {
    const [chosen] = target.files;
    target.value = "";
    if (chosen) doing(() => take(chosen));
  };
  at("shoot").onclick = () => doing(async () => {
    await take(at("video"));
    at("camera-view").close();
  });
  at("camera-view").onclose = () => {
    closeCamera();
    closeCamera = () => {};
  };
  for (const [name, before] of [["pointerdown", true], ["pointerup", false], ["pointerleave", false], ["blur", false]]) {
    at("compare").addEventListener(name, () => compare(before));
  }
  at("compare").onkeydown = ({ key }) => [" ", "Enter"].includes(key) && compare(true);
  at("compare").onkeyup = () => compare(false);
  for (const id of Object.keys(LAYERS)) at(id).onclick = () => toggle(id);
  for (const button of document.querySelectorAll("[data-kind]")) {
    button.onclick = () => choose(button.dataset.kind);
    button.onkeydown = ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const all = [...document.querySelectorAll("[data-kind]:not(:disabled)")];
      const next = all[(all.indexOf(button) + step + all.length) % all.length];
      choose(next.dataset.kind);
      next.focus();
    };
  }
  for (const button of document.querySelectorAll("[data-close]")) button.onclick = () => button.closest("dialog").close();
  at("wish").onsubmit = (event) => {
    event.preventDefault();
    wish(at("words").value);
  };
  addEventListener("pagehide", () => studio.leave({ atOnce: true }));
}

while (!config) {
  try {
    await load();
    config = await ask("kiosk/config.json");
  } catch {
    await pause(RETRY_MS); // the server is being begun anew
  }
}
at("phone").hidden = !config.share;
at("made-by-ai").hidden = !config.label;
stage.size(...(config.presets.size ?? config.default_size).split("x").map(Number));
listen();
speakAll(navigator.language.startsWith("zh") ? "zh" : "en");
watch(config.idle_s, { isUsed: () => document.body.dataset.mode === "studio" && !studio.busy, onLeave: leave });
document.body.dataset.loaded = "true";
attract();
