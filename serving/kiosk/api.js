// Requests to the server: JSON, errors as sentences, and events that go on where they stopped.

const key = new URLSearchParams(location.hash.slice(1)).get("key");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const RETRIES = 8;

function headers(more = {}) {
  return key ? { Authorization: `Bearer ${key}`, ...more } : more;
}

export const failure = ({ message, code }) => Object.assign(new Error(message), { code });

// Fetches from a server that may have gone away, which is an error like those that it tells of itself.
async function fetched(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    throw failure({ message: error.message, code: "gone" });
  }
}

async function refusal(answer) {
  const { error } = await answer.json().catch(() => ({}));
  return failure(error ?? { message: answer.statusText, code: "gone" });
}

export async function ask(path, body, method = body ? "POST" : "GET") {
  const answer = await fetched(path, {
    method,
    headers: headers(body ? { "Content-Type": "application/json" } : {}),
    body: body && JSON.stringify(body),
  });
  if (answer.status === 204) return null;
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

export async function file(path) {
  const answer = await fetched(path, { headers: headers() });
  if (!answer.ok) throw await refusal(answer);
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
      if (!answer.ok) throw Object.assign(await refusal(answer), { final: true });
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
  throw failure({ message: "the connection was lost", code: "gone" });
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
