// The form: what is asked for, as the server wants it; what there is to choose depends on task and picture.

const form = document.getElementById("settings");
const field = (name) => form.elements[name];
const ABLE = ["fill", "exemplar", "pnp", "dip", "deep-decoder", "pixels", "pixel-tv"];  // methods for tasks with an operator
const NOISELESS = ["dejpeg", "descreen", "despeckle"];  // the picture itself tells all
const OF_TASK = { denoise: ["strength"], inpaint: ["translucent"], upscale: ["factor", "kernel"], deblur: ["psf", "border"], demosaic: ["pattern"] };

export function asked(region, uploads) {
  const task = field("task").value, found = { task, method: field("method").value || "auto" };
  if (task === "denoise") found.effort = field("effort").value;
  if (!NOISELESS.includes(task) && !region) found.noise = field("noise").value.trim() || "auto";
  if (!NOISELESS.includes(task) && region) found.region = region;
  if (field("seed").value) found.seed = Number(field("seed").value);
  if (field("time_limit").value) found.time_limit = Number(field("time_limit").value);
  for (const name of OF_TASK[task] ?? []) {
    const input = field(name);
    found[name] = input.type === "checkbox" ? input.checked : input.type === "number" ? Number(input.value) : input.value.trim();
  }
  if (task === "deblur" && uploads.psf) found.psf = "file";
  if (task === "inpaint" && uploads.mask) found.mask_marks = field("mask_marks").value || null;
  return found;
}

export function fill(settings) {
  for (const [name, value] of Object.entries(settings)) {
    const input = field(name);
    if (!input || (name === "psf" && value === "file")) continue;
    if (name === "method" && ![...input.options].some((option) => option.value === value)) input.append(new Option(value, value));
    if (input.type === "checkbox") input.checked = value;
    else input.value = value ?? "";
  }
}

// Show what belongs to the task, and the methods that can do it.
export function arrange(job, methods) {
  const task = field("task").value;
  for (const part of form.querySelectorAll("[data-task]")) part.hidden = part.dataset.task !== task;
  for (const given of form.querySelectorAll("[data-given]")) {
    const slot = given.dataset.given, name = job?.uploads[slot];
    given.hidden = !name || form.querySelector(`[data-slot=${slot}]`).closest("[data-task]").hidden;
    given.firstElementChild.textContent = name ?? "";
  }
  document.getElementById("marks-field").hidden = task !== "inpaint" || !job?.uploads.mask;
  document.getElementById("efforts").hidden = task !== "denoise";
  document.getElementById("noise-field").hidden = NOISELESS.includes(task);
  const known = new Map((job?.about.methods ?? []).map((method) => [method.method, method]));
  const names = task === "denoise" ? Object.keys(methods).filter((name) => !["fill", "exemplar", "pnp", "pixels", "pixel-tv", "impulse-fill"].includes(name)) : ABLE;
  const group = (label, of) => {
    const made = document.createElement("optgroup");
    made.label = label;
    for (const name of of) made.append(new Option(name, name));
    return made;
  };
  const chosen = field("method").value || "auto";
  const fits = (name) => task !== "denoise" || !known.get(name)?.objection;
  const good = names.filter(fits), bad = names.filter((name) => !fits(name));
  field("method").replaceChildren(new Option("auto: what fits best", "auto"), group("By name", good));
  if (bad.length) field("method").append(group("Not for this noise", bad));
  field("method").value = [...names, "auto"].includes(chosen) ? chosen : "auto";
  hints(job, methods, known);
}

function hints(job, methods, known) {
  const task = field("task").value, name = field("method").value, method = known.get(name);
  const about = method?.seconds && task === "denoise" ? ` ${capital(about_(method.seconds))} at most.` : "";
  const objection = task === "denoise" && method?.objection ? ` Not for this picture: ${method.objection}.` : "";
  document.getElementById("method-hint").textContent = name === "auto" ? "" : `${capital(methods[name] ?? "")}.${about}${objection}`;
  const effort = (job?.about.efforts ?? []).find((each) => each.effort === field("effort").value);
  const line = effort ? `${effort.seconds ? `${capital(about_(effort.seconds))}: ` : ""}${effort.methods.join(", ") || "nothing to do"}` : "";
  document.getElementById("effort-hint").textContent = task === "denoise" && name === "auto" ? line : "";
}

const short = (seconds) => (seconds < 0.1 ? "less than 0.1 s" : seconds < 10 ? `${seconds.toFixed(1)} s` : seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);
const about_ = (seconds) => (seconds < 0.1 ? short(seconds) : `about ${short(seconds)}`);
const capital = (text) => text && text[0].toUpperCase() + text.slice(1);
