// The side: the list of pictures, and what there is to say of the one that is shown.

import { drawCurve } from "./plots.js";

const at = (id) => document.getElementById(id);
const STATES = { looking: "reading", ready: "ready", queued: "waiting", running: "running", done: "done", refused: "cannot be read" };

const rows = new Map();

// Rows stay where they are, so that a list of hundreds is not drawn anew for every event.
export function list(jobs, queue, selected, select) {
  for (const [key, row] of rows) {
    if (jobs.has(key)) continue;
    row.remove();
    rows.delete(key);
  }
  let place = 0;
  for (const job of jobs.values()) {
    if (!rows.has(job.key)) rows.set(job.key, rowOf(job, select));
    const row = rows.get(job.key), [button] = row.children, [, state] = button.children, text = stateOf(job, queue);
    if (at("jobs").children[place] !== row) at("jobs").insertBefore(row, at("jobs").children[place] ?? null);
    place++;
    if (state.textContent !== text) {
      state.textContent = text;
      state.className = `state ${job.state === "ready" && job.message ? "failed" : job.state}`;
    }
    if (job.key === selected) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  at("start-all").hidden = [...jobs.values()].filter((job) => job.state === "ready").length < 2;
}

function rowOf(job, select) {
  const row = document.createElement("li"), button = document.createElement("button"), state = document.createElement("span");
  const name = item("span", job.name);
  button.type = "button";
  button.title = job.name;
  button.onclick = () => select(job.key);
  name.className = "file";
  button.append(name, state);
  row.append(button);
  return row;
}

function stateOf(job, queue) {
  if (job.part !== undefined) return job.message || `sending ${Math.round(100 * job.part)} %`;
  if (job.state === "queued") return `waiting, ${Math.max(0, queue.indexOf(job.key)) + 1}.`;
  if (job.state === "running") return job.progress?.steps > 1 ? `${percent(job.progress)} %` : "running";
  if (job.state === "looking" && !job.reading) return "measuring";
  return job.state === "ready" && job.message ? "not done" : STATES[job.state];
}

export function percent({ step, steps, plane, planes, part, parts }) {
  return Math.round((100 * (plane + (part + step / steps) / parts)) / planes);
}

export function about(job, saidElsewhere) {
  const { noise = "", advice = "", notes = [], kind = "" } = job.about;
  at("name").textContent = job.name;
  at("kind").textContent = kind || size(job.size);
  at("noise").textContent = job.reading ? "It is being read …" : noise || (job.state === "looking" ? "The noise is being measured …" : "");
  at("advice-box").hidden = !advice && !notes.length;
  at("advice").textContent = advice;
  at("notes").replaceChildren(...notes.map((note) => item("li", note)));
  const refused = job.state === "refused";  // which is said in the picture's place
  at("message").textContent = refused || saidElsewhere ? "" : job.message;
  at("settings").classList.toggle("refused", refused);
  at("line").hidden = refused;
  const busy = job.state === "queued" || job.state === "running";
  at("start").hidden = busy || refused;
  at("start").textContent = job.result ? "Start again" : "Start";
  at("start").disabled = !job.planes.length || job.reading;
  at("stop").hidden = !busy;
  at("stop").textContent = job.state === "queued" ? "Take out of the queue" : "Stop, keep the best";
}

function item(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

export function size(bytes) {
  const [unit, name] = bytes < 2 ** 20 ? [2 ** 10, "KiB"] : bytes < 2 ** 30 ? [2 ** 20, "MiB"] : [2 ** 30, "GiB"];
  return `${Number((bytes / unit).toPrecision(2))} ${name}`;
}

export function running(job) {
  const { progress } = job;
  at("running").hidden = job.state !== "running";
  if (job.state !== "running") return;
  at("bar").classList.toggle("open", !progress || progress.steps <= 1);
  at("bar").firstElementChild.style.width = progress && progress.steps > 1 ? `${percent(progress)}%` : "";
  if (progress && progress.steps > 1) at("bar").setAttribute("aria-valuenow", percent(progress));
  else at("bar").removeAttribute("aria-valuenow");
  at("where").textContent = progress ? sentence(progress) : "Measuring the noise …";
  at("curve").hidden = job.curve.length < 2;
  if (job.curve.length > 1) drawCurve(at("curve"), job.curve, progress.score === null ? "loss" : progress.score_name);
}

export function sentence({ phase, step, steps, plane, planes, part, parts, elapsed, left }) {
  const words = [phase];
  if (planes > 1) words.push(`plane ${plane + 1} of ${planes}`);
  if (parts > 1) words.push(`part ${part + 1} of ${parts}`);
  if (steps > 1) words.push(`step ${step} of ${steps}`);
  words.push(clock(elapsed));
  if (left !== null && steps > 1) words.push(`at most ${clock(left)} left`);
  return words.join(" · ");
}

function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds)), two = (value) => String(value).padStart(2, "0");
  return whole < 3600 ? `${Math.floor(whole / 60)}:${two(whole % 60)}` : `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export function outcome(job) {
  const { result, files } = job;
  at("outcome").hidden = !result || job.state === "running";
  if (!result) return;
  const gain = result.gain === null ? "" : ` ${Math.abs(result.gain)} dB ${result.gain < 0 ? "below" : "above"} the input.`;
  at("verdict").textContent = `${result.interrupted ? "Stopped; this is the best until then. " : ""}${result.method}, ${result.seconds}.${result.psnr ? ` Estimated PSNR ${result.psnr}.` : ""}${gain}`;
  for (const which of ["result", "report", "recipe"]) {
    const link = at(`get-${which}`);
    link.href = `/api/jobs/${job.key}/files/${which}`;
    link.setAttribute("aria-disabled", String(!files[which]));
    link.title = files[which] ? files[which] : "being written";
  }
  const rows = [["Why", result.why], ["Stopped", result.stopped], ["Quality", result.quality], ...result.notes.map((note) => ["Note", note]), ...(result.command ? [["Exactly this again", result.command]] : [])];
  at("why").replaceChildren(...rows.flatMap(([name, text]) => [item("dt", name), item("dd", text)]));
}
