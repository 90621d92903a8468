// Requests to the server: JSON, errors as sentences, and events that go on where they stopped.

const key = new URLSearchParams(location.hash.slice(1)).get("key");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const RETRIES = 8;

function headers(more = {}) {
  return key ? { Authorization: `Bearer ${key}`, ...more } : more;
}

export async function ask(path, body, method = body ? "POST" : "GET") {
  const answer = await fetch(path, {
    method,
    headers: headers(body ? { "Content-Type": "application/json" } : {}),
    body: body && JSON.stringify(body),
  });
  if (answer.status === 204) return null;
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error?.message ?? answer.statusText), { code: said.error?.code });
  return said;
}

export async function file(path) {
  const answer = await fetch(path, { headers: headers() });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.blob();
}

const remove = (path) => fetch(path, { method: "DELETE", headers: headers(), keepalive: true }).catch(() => {});
export const forget = (id) => remove(`v1/paintings/${id}`);
export const forgetSession = (id) => remove(`v1/sessions/${id}`);

// Yields { name, data } until the last event; a connection that breaks is made again after the last one seen.
export async function* events(id, lost) {
  let last = null;
  for (let tries = 0; tries < RETRIES; tries += 1) {
    try {
      const answer = await fetch(`v1/paintings/${id}/events`, { headers: headers(last ? { "Last-Event-ID": last } : {}) });
      if (answer.status === 204) return;
      if (!answer.ok) throw Object.assign(new Error((await answer.json()).error.message), { final: true });
      for await (const event of read(answer.body)) {
        if (event.id) last = event.id;
        tries = 0;
        yield event;
        if (event.name === "done" || event.name === "error") return;
      }
    } catch (error) {
      if (error.final) throw error;
    }
    lost();
    await pause(Math.min(4000, 250 * 2 ** tries));
  }
  throw new Error("the connection was lost");
}

async function* read(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    const blocks = held.split("\n\n");
    held = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split("\n").filter((line) => !line.startsWith(":")).map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]),
      );
      if (fields.data) yield { id: fields.id, name: fields.event, data: JSON.parse(fields.data) };
    }
  }
}
