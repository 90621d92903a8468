// The canvas: rows as they come, the finished picture, what is laid over it, and the light that it throws on the wall.

const figure = document.querySelector("figure");
const canvas = document.getElementById("picture");
const overlay = document.getElementById("overlay");
const boxes = document.getElementById("boxes");
const brush = document.getElementById("brush");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const ROW_MS = 110; // a fast machine paints a row in 10 ms, which nobody sees

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function size(width, height) {
  for (const one of [canvas, overlay]) [one.width, one.height] = [width, height];
  figure.style.setProperty("--ratio", `${width} / ${height}`);
}

// Returns a painter: strip(event) shows finished rows, the first at once and the others no faster than an eye follows;
// rest(picture, rows) shows those that no strip had.
export function painter(target, isOurs, onFirstRow = () => {}) {
  let next = Promise.resolve();
  let begun = false;
  let done = 0;
  figure.classList.add("painting");
  const draw = async (bitmap, from, rows, width, high) => {
    if (!begun) {
      begun = true;
      if (target === canvas) size(width, high * rows);
      else [target.width, target.height] = [width, high * rows];
      onFirstRow();
    }
    for (; (done - from) * high < bitmap.height && isOurs(); done += 1) {
      target.getContext("2d").drawImage(bitmap, 0, (done - from) * high, width, high, 0, done * high, width, high);
      brush.style.top = `calc(${((done + 1) * 100) / rows}% - 4px)`;
      if (target === canvas) glow();
      if (!calm.matches) await pause(ROW_MS);
    }
  };
  return {
    strip({ image, row, count, rows, width, height }) {
      next = next.then(async () => {
        const bitmap = await createImageBitmap(await (await fetch(image)).blob());
        if (isOurs()) await draw(bitmap, row, rows, width, height / count);
      });
    },
    async rest(picture, rows) {
      const bitmap = await createImageBitmap(picture);
      await next;
      if (isOurs()) await draw(bitmap, 0, rows, bitmap.width, bitmap.height / rows);
    },
    async end() {
      await next.catch(() => {});
      figure.classList.remove("painting");
      brush.style.top = "0";
    },
  };
}

export async function show(blob) {
  const bitmap = await createImageBitmap(blob);
  size(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  glow();
}

export function empty() {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  clear();
}

export const layers = { canvas, overlay };

export function clear() {
  overlay.classList.remove("shown");
  boxes.replaceChildren();
}

export function found(objects) {
  boxes.replaceChildren(
    ...objects.map(({ label, box: [left, top, right, bottom] }) => {
      const frame = document.createElement("i");
      const name = document.createElement("b");
      name.textContent = label;
      frame.className = `${top < canvas.height * 0.15 ? "high" : ""} ${left > canvas.width * 0.6 ? "right" : ""}`;
      const percent = (value, whole) => `${(100 * value) / whole}%`;
      Object.assign(frame.style, {
        left: percent(left, canvas.width), width: percent(right - left, canvas.width),
        top: percent(top, canvas.height), height: percent(bottom - top, canvas.height),
      });
      frame.append(name);
      return frame;
    }),
  );
}

// The wall takes the picture's average colour, lively enough to be seen.
function glow() {
  const one = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  one.imageSmoothingQuality = "high";
  one.drawImage(canvas, 0, 0, canvas.width, canvas.height, 0, 0, 1, 1);
  const [red, green, blue] = one.getImageData(0, 0, 1, 1).data;
  document.documentElement.style.setProperty("--glow", `rgb(${red} ${green} ${blue})`);
}
