// Folders: walked, and told apart into those that are one picture, such as OME-Zarr, and those that hold pictures.

const MARKERS = [".zgroup", ".zarray", "zarr.json"];

// Everything that was dropped, as [{path, file}]. What a drop holds is gone once the browser goes on, so it is taken at once.
export async function dropped(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const taken = items.map((item) => [item.webkitGetAsEntry?.(), item.getAsFile()]);
  const found = [];
  for (const [entry, file] of taken) {
    if (entry?.isDirectory) await walk(entry, entry.name, found);
    else if (file) found.push({ path: file.name, file });
  }
  return found;
}

async function walk(folder, path, found) {
  const reader = folder.createReader();
  for (;;) {  // a reader gives some at a time
    const entries = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!entries.length) return;
    for (const entry of entries) {
      const inside = `${path}/${entry.name}`;
      if (entry.isDirectory) await walk(entry, inside, found);
      else found.push({ path: inside, file: await new Promise((done, fail) => entry.file(done, fail)) });
    }
  }
}

export const chosen = (files) => [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

const above = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

// What to send: {name, blob, listed}; listed is 0 for a file. `left` are names in folders that are no pictures.
export function sorted(found, endings) {
  const marked = new Set(found.filter(({ path }) => path.includes("/") && MARKERS.includes(path.slice(path.lastIndexOf("/") + 1))).map(({ path }) => above(path)));
  const roots = new Map(), sends = [], left = [];
  for (const { path, file } of found) {
    const root = topmost(path, marked), name = path.slice(path.lastIndexOf("/") + 1);
    if (root) {
      if (!roots.has(root)) roots.set(root, sends.push({ name: root.slice(root.lastIndexOf("/") + 1), files: [] }) - 1);
      sends[roots.get(root)].files.push([path.slice(root.length + 1), file]);
    } else if (!path.includes("/") || endings.some((ending) => name.toLowerCase().endsWith(ending))) sends.push({ name, blob: file, size: file.size, listed: 0 });
    else if (!name.startsWith(".")) left.push(name);
  }
  return { sends: sends.map((send) => (send.files ? folded(send) : send)), left };
}

function topmost(path, marked) {
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    if (marked.has(path.slice(0, at))) return path.slice(0, at);
  }
  return null;
}

// A folder in one piece: the list of its files, and then these; the browser reads them while they are sent.
function folded({ name, files }) {
  files.sort(([a], [b]) => (a < b ? -1 : 1));
  const list = new TextEncoder().encode(JSON.stringify(files.map(([path, file]) => [path, file.size])));
  const size = files.reduce((sum, [, file]) => sum + file.size, 0);
  return { name, blob: new Blob([list, ...files.map(([, file]) => file)]), size, listed: list.length };
}
