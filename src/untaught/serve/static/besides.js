// What goes with a picture: a mask that is painted or a file, a guide, a point-spread function.

import { attach, call } from "./api.js";
import { Mask } from "./paint.js";

const at = (id) => document.getElementById(id);

export function besides({ viewer, current, tried, show: showAll, keepDraft }) {
  const masks = new Map();
  let unsent = null, timer = 0;

  const forget = (key) => masks.delete(key);

  function show(job) {
    const { width, height } = job.planes[0];
    if (!masks.has(job.key)) {
      const mask = new Mask(width, height);
      masks.set(job.key, mask);
      if (job.uploads.mask && mask.possible) mask.load(`/api/jobs/${job.key}/files/mask`, at("marks").value === "missing").then(() => viewer.draw());
    }
    viewer.mask = masks.get(job.key);
    viewer.showsMask = at("task").value === "inpaint";
    at("mask-link").hidden = !job.uploads.mask;
    at("mask-link").href = `/api/jobs/${job.key}/files/mask`;
  }

  function painted(job) {
    unsent = job;
    clearTimeout(timer);
    timer = setTimeout(() => tried(flush), 500);
  }

  async function flush() {
    const job = unsent;
    unsent = null;
    if (!job) return;
    const { blob, share } = await masks.get(job.key).picture();
    at("painted").textContent = share ? `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} % is painted` : "Nothing is painted";
    if (job.key === current()?.key && at("marks").value) {  // what is painted is black
      at("marks").value = "";
      keepDraft();
    }
    if (share) await attach(job.key, "mask", blob, `${job.name.replace(/\.[^.]*$/, "")}-mask.png`);
    else if (job.uploads.mask) await call("DELETE", `/api/jobs/${job.key}/uploads/mask`);
  }

  const changed = (key, slot) => {
    if (slot !== "mask") return;
    forget(key);
    showAll();
  };
  for (const input of document.querySelectorAll("[data-slot]")) {
    input.onchange = () => input.files.length && tried(async () => {
      const { key } = current(), { slot } = input.dataset, [file] = input.files;
      await attach(key, slot, file, file.name);
      changed(key, slot);
      at("live").textContent = `${file.name} was added.`;
      input.value = "";  // what a picture has stands below; another has other files
    });
  }
  for (const given of document.querySelectorAll("[data-given]")) {
    given.querySelector("button").onclick = () => tried(async () => {
      const { key } = current(), slot = given.dataset.given;
      await call("DELETE", `/api/jobs/${key}/uploads/${slot}`);
      changed(key, slot);
    });
  }

  return { forget, show, painted, flush };
}
