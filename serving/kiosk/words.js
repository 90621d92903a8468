// The page in two languages: texts, titles and labels by their names in words.json.

let all = {};
export let language = "en";

export const say = (name, values = {}) => (all[language][name] ?? name).replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);

export async function load() {
  all = await (await fetch("kiosk/words.json")).json();
}

export function speak(wanted) {
  language = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-Hans" : "en";
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-words]")) element.textContent = say(element.dataset.words);
  for (const element of document.querySelectorAll("[data-words-label]")) element.setAttribute("aria-label", say(element.dataset.wordsLabel));
  for (const element of document.querySelectorAll("[data-words-title]")) {
    element.title = say(element.dataset.wordsTitle);
    element.setAttribute("aria-label", element.title);
  }
}
