// Talking to the server: every refusal comes as a sentence for people.

export class Refused extends Error {}

const LOST = "The server does not answer.";

export async function call(method, path, body, headers = {}) {
  const json = body !== undefined && !(body instanceof Blob);
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: json ? { "content-type": "application/json", ...headers } : headers,
      body: json ? JSON.stringify(body) : body,
    });
  } catch {
    throw new Refused(LOST);
  }
  const text = await answer.text();
  if (!answer.ok) throw new Refused(sentence(text, answer.status));
  return JSON.parse(text);
}

function sentence(text, status) {
  let said = text.replace(/^untaught: /, "").trim();
  try { said = JSON.parse(text).error; } catch { /* it is plain text */ }
  said = said || `the server answered ${status}`;
  return said[0].toUpperCase() + said.slice(1).replace(/\.?$/, ".");
}

// fetch tells nothing while it sends, so this is an XMLHttpRequest.
export function upload({ name, blob, listed }, tell) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/files");
    request.setRequestHeader("x-name", encodeURIComponent(name));
    if (listed) request.setRequestHeader("x-listed", listed);
    request.upload.onprogress = (event) => tell(event.total ? event.loaded / event.total : 0);
    request.onload = () => {
      if (request.status === 201) done(JSON.parse(request.responseText));
      else fail(new Refused(sentence(request.responseText, request.status)));
    };
    request.onerror = () => fail(new Refused("The connection was lost before all of the file was sent; add it again."));
    request.send(blob);
  });
}

export function attach(key, slot, blob, name) {
  return call("PUT", `/api/jobs/${key}/uploads/${slot}`, blob, { "x-name": encodeURIComponent(name) });
}

const AWAY = "The server does not answer. If it was ended, start it again with “untaught serve”; this page tries again by itself.";
const OTHER = "The server was started again and has a new token: open the address that it printed. What was on this page is gone with the old one.";

// Hear what happens, and go on hearing when the server was away. `say` is given a sentence, or "" when all is well.
export function listen(hear, say) {
  let source = null;
  const open = () => {
    source = new EventSource("/api/events");
    source.onmessage = (event) => { say(""); hear(JSON.parse(event.data)); };
    source.onerror = () => { source.close(); again(); };
  };
  const again = async () => {
    try {
      const answer = await fetch("/api/alive");
      if (answer.ok) { open(); return; }
      say(OTHER);
    } catch { say(AWAY); }
    setTimeout(again, 1500);
  };
  addEventListener("pagehide", () => source?.close());
  open();
}
