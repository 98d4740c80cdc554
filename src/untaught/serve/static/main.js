// What happens on the page: events of the server and of the person, and what is drawn anew for them.

import { call, listen, Refused } from "./api.js";
import { besides } from "./besides.js";
import { handle } from "./hands.js";
import { chosen, dropped } from "./folders.js";
import { incoming } from "./incoming.js";
import * as panel from "./panel.js";
import * as reads from "./reads.js";
import * as form from "./settings.js";
import { tools } from "./tools.js";
import { Viewer } from "./viewer.js";

const at = (id) => document.getElementById(id);
const jobs = new Map();
const sending = new Map();  // files on their way, as rows of the list
const drafts = new Map();  // what is set for a picture and not started yet
const local = /^(127\.|localhost$|\[::1\])/.test(location.hostname);
const HERE = local ? "Pictures stay on this machine." : `Pictures are sent to ${location.hostname}, unencrypted.`;
at("stays").textContent = HERE;
let queue = [], selected = null, methods = {}, known = { most: Infinity, endings: [] }, last = {};
const viewer = new Viewer(at("canvas"), at("divider"));
handle(viewer);
const current = () => jobs.get(selected);
const closer = tools(viewer, current);
const masks = besides({ viewer, current, tried, show, keepDraft });

// What the server tells

function hear(event) {
  if (event.kind === "all") {
    ({ methods, queue } = event);
    known = { most: event.most, endings: event.endings };
    jobs.clear();
    for (const job of event.jobs) jobs.set(job.key, job);
    at("connection").textContent = HERE;
    select(jobs.has(location.hash.slice(1)) ? location.hash.slice(1) : jobs.has(selected) ? selected : jobs.keys().next().value ?? null);
    return;
  }
  queue = event.queue ?? queue;
  if (event.kind === "job") {
    const before = jobs.get(event.job.key), changed = before?.state !== event.job.state;
    jobs.set(event.job.key, event.job);
    if (before && before.looks !== event.job.looks) {  // places in it may be others
      masks.forget(event.job.key);
      delete drafts.get(event.job.key)?.region;
    }
    if (!selected || !jobs.has(selected)) select(event.job.key);
    else if (event.job.key === selected) show();
    if (changed) announce(event.job);
  }
  if (event.kind === "progress") {
    const job = jobs.get(event.key);
    if (!job) return;
    if (event.progress.step <= (job.progress?.step ?? 0) && event.progress.phase !== job.progress?.phase) job.curve = [];
    Object.assign(job, { progress: event.progress, state: "running" });
    job.curve.push(...event.point.filter(([step]) => step !== job.curve.at(-1)?.[0]));
    if (job.key === selected) { panel.running(job); preview(job); }
  }
  if (event.kind === "removed") {
    for (const of of [jobs, drafts]) of.delete(event.key);
    masks.forget(event.key);
    if (event.key === selected) select(jobs.keys().next().value ?? null);
  }
  list();
}

let loading = false;
async function preview(job) {
  if (job.state !== "running") { viewer.setPreview(null); return; }
  const number = job.progress?.previews;
  if (!number || loading || viewer.previewNumber === `${job.key}/${number}` || job.progress.plane !== viewer.plane) return;
  loading = true;
  const image = new Image();
  image.src = `/api/jobs/${job.key}/preview/${number}`;
  try {
    await image.decode();
    viewer.previewNumber = `${job.key}/${number}`;
    if (job.key === selected && current()?.state === "running") viewer.setPreview(image);
    at("canvas").dataset.preview = number;
  } catch { /* the fit has ended in between */ }
  loading = false;
}

let said = "";
function announce(job) {
  const words = { ready: job.message || `The noise was measured. ${job.about.noise}`, running: "It runs.", done: job.result ? `Done. ${at("verdict").textContent}` : "", refused: job.message }[job.state];
  if (words && words !== said) at("live").textContent = said = `${job.name}: ${words}`;
}
setInterval(() => {
  const job = current();
  if (job?.state === "running" && job.progress) at("live").textContent = panel.sentence(job.progress);
}, 15000);

// What is shown

let drawing = false;
function list() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    panel.list(new Map([...jobs, ...sending]), queue, selected, select);
  });
}

function select(key) {
  if (key !== null && !jobs.has(key)) return;
  if (key !== selected) {
    keepDraft();
    selected = key;
    viewer.setPreview(null);
    history.replaceState(null, "", key ? `#${key}` : location.pathname);
  }
  const job = current();
  if (job) {
    const draft = drafts.get(key) ?? (job.run ? job.settings : last);
    form.fill({ task: "denoise", method: "auto", effort: "normal", noise: "auto", seed: 0, time_limit: null, strength: 1, mask_marks: null, ...draft });
    viewer.region = job.settings.region ?? job.measured?.region ?? null;
  }
  show();
  list();
}

function show() {
  const job = current();
  at("panel").hidden = !job;
  at("viewer").hidden = !job?.planes.length;
  at("welcome").hidden = Boolean(job?.planes.length);
  at("drop").hidden = at("choose-folder").hidden = Boolean(job);
  at("reading").hidden = !job;
  at("reading").textContent = job?.state === "refused" ? job.message : `Reading ${job?.name} …`;
  if (!job) return;
  form.arrange(job, methods);
  reads.arrange(job);
  panel.about(job, reads.isAbout(job.key));
  panel.running(job);
  panel.outcome(job);
  if (job.planes.length) {
    masks.show(job);
    viewer.show(job);
    preview(job);
  }
  region(job);
  closer.refresh();
  command();
}

function region(job) {
  const found = viewer.region, measured = job.measured;
  at("region-line").hidden = !found;
  if (!found) return;
  const same = measured && String(measured.region) === String(found);
  at("region-text").textContent = same ? `Flat part: ${measured.noise}` : job.message ? "The flat part could not be used." : "The flat part is being measured …";
}

// What is asked for

const asked = () => form.asked(viewer.region, current()?.uploads ?? {});

function keepDraft() {
  if (!current()) return;
  const settings = asked();
  drafts.set(selected, settings);
  if (settings.task === "inpaint" || settings.task === "guided") return;  // with files of this one picture
  last = { ...settings };
  delete last.region;
}

let later = 0;
function command() {
  clearTimeout(later);
  later = setTimeout(async () => {
    const job = current();
    if (!job) return;
    try {
      const told = await call("POST", `/api/jobs/${job.key}/command`, asked());
      if (current()?.key !== job.key) return;
      at("command").textContent = told.command;
      if (!current().message) at("message").textContent = "";  // what was refused meanwhile stays said
    } catch (error) { said_(error); }
  }, 60);
}

function said_(error, where = "message") {
  if (!(error instanceof Refused || error instanceof RangeError)) throw error;
  at(where).textContent = error.message;
}

async function tried(doing, where) {
  try { await doing(); } catch (error) { said_(error, where); }
}

for (const kind of ["input", "change"]) at("settings").addEventListener(kind, (event) => {
  if (event.target.type === "file") return;
  if (event.target.id === "marks" && current()) {
    masks.forget(selected);
    masks.show(current());
  }
  form.arrange(current(), methods);
  viewer.showsMask = at("task").value === "inpaint";
  viewer.draw();
  keepDraft();
  command();
  closer.refresh();
});
at("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  tried(async () => {
    await masks.flush();
    reads.forget();
    at("message").textContent = "";
    keepDraft();
    await call("POST", `/api/jobs/${selected}/start`, asked());
  });
});
at("stop").onclick = () => tried(() => call("POST", `/api/jobs/${selected}/stop`));
at("remove").onclick = () => tried(() => call("DELETE", `/api/jobs/${selected}`));
at("start-all").onclick = () => tried(async () => {
  keepDraft();
  const waiting = [...jobs.values()].filter((job) => job.state === "ready");
  const starts = waiting.map((job) => [job.key, drafts.get(job.key) ?? last]);
  for (const [key, settings] of starts) await call("POST", `/api/jobs/${key}/start`, settings);
});
at("reads").addEventListener("submit", (event) => {
  event.preventDefault();
  tried(() => call("POST", `/api/jobs/${selected}/reading`, reads.asked(selected)), "read-message");
});
at("region-clear").onclick = () => { viewer.region = null; show(); keepDraft(); };
at("copy").onclick = async () => {
  await navigator.clipboard?.writeText(at("command").textContent);
  at("copy").textContent = "Copied";
  setTimeout(() => { at("copy").textContent = "Copy"; }, 1500);
};
// Files beside the picture, and paint

viewer.addEventListener("painted", () => masks.painted(current()));
viewer.addEventListener("toolarge", () => { at("message").textContent = "This picture is too large to be painted on here; add a mask as a file."; });
viewer.addEventListener("region", () => tried(async () => {
  at("message").textContent = "";
  current().message = "";
  region(current());
  keepDraft();
  command();
  await call("POST", `/api/jobs/${selected}/region`, viewer.region);
}));
at("undo").onclick = () => { viewer.mask.undo(); viewer.draw(); masks.painted(current()); };
at("clear").onclick = () => { viewer.mask.clear(); viewer.draw(); masks.painted(current()); };
closer.onPaint(() => {
  if (at("task").value === "inpaint") return;
  at("task").value = "inpaint";
  at("settings").dispatchEvent(new Event("input"));
});

// Files come in

const { add, banner } = incoming({ jobs, sending, list, select, known: () => known, away: () => away });
let away = "";

for (const input of [at("file"), at("folder")]) input.onchange = () => { add(chosen(input.files)).then(() => { input.value = ""; }); };
addEventListener("dragover", (event) => { event.preventDefault(); at("cover").hidden = !event.dataTransfer.types.includes("Files"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) at("cover").hidden = true; });
addEventListener("drop", (event) => {
  event.preventDefault();
  at("cover").hidden = true;
  dropped(event.dataTransfer).then(add);
});
at("keys-button").onclick = () => at("keys").showModal();

listen(hear, (text) => {
  if (text === away) return;
  away = text;
  at("connection").textContent = text ? "Not connected." : HERE;
  banner("");
});
