// The page on a visitor's phone: one picture, labelled as on the kiosk, to be saved.

import { labelled } from "./files.js";

const address = `${location.pathname}/picture`;
const answer = await fetch(address);
if (answer.ok) {
  const { label } = await (await fetch("../kiosk/share.json")).json();
  const wanted = navigator.language.startsWith("zh") ? label?.zh : label?.en;
  const url = URL.createObjectURL(await labelled(await answer.blob(), wanted));
  document.getElementById("picture").src = document.getElementById("save").href = url;
} else {
  document.getElementById("notice").textContent = "This picture was deleted. · 这张图片已删除。";
  document.getElementById("save").hidden = document.getElementById("picture").hidden = true;
}
