// How a picture is read: what the form says of it, and what was found.

const at = (id) => document.getElementById(id);
const form = at("reads");
const ASKS = /--(axes|series|page|value-range)|\.\w+:\/|\.zarr\//;
let shown = null, opened = null, asking = null;

// Show how a picture is read; what is being written is left alone.
export function arrange(job) {
  const { reads, about, key, looks, state } = job, mark = `${key}/${looks}`;
  const notes = about.read ?? [];
  at("read-notes").replaceChildren(...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
  at("axes").placeholder = about.axes ?? "";
  at("range").placeholder = about.range ?? "";
  at("read-so").disabled = job.reading || state === "queued" || state === "running";
  at("read-message").textContent = asking === key ? job.message : "";
  const asks = notes.length > 0 || (state === "refused" && ASKS.test(job.message));
  if (asks && opened !== mark) at("read-box").open = true;
  else if (shown?.split("/")[0] !== key) at("read-box").open = false;
  if (asks) opened = mark;
  if (shown === mark) return;
  shown = mark;
  at("axes").value = reads.axes ?? "";
  at("which").value = reads.inside ?? reads.series ?? "";
  at("page").value = reads.page ?? "";
  at("range").value = reads.value_range?.join(",") ?? "";
}

// Whether what is said of a picture is about how it was to be read.
export const isAbout = (key) => asking === key;
export const forget = () => { asking = null; };

export function asked(key) {
  asking = key;
  const { axes, which, page, range } = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
  const ends = range.split(/\s*,\s*/).map(Number);
  if (range && (ends.length !== 2 || ends.some(Number.isNaN))) throw new RangeError("Write the range as two numbers, LOW,HIGH, such as 0,4095.");
  const number = /^\d+$/.test(which);
  return {
    axes: axes || null, page: page ? Number(page) : null, series: number ? Number(which) : null,
    inside: which && !number ? which : null, value_range: range ? ends : null,
  };
}
