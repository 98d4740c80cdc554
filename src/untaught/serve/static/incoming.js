// Files that come in: sent one after the other, and what is wrong with one said in a line at the top.

import { Refused, upload } from "./api.js";
import { size } from "./panel.js";

const at = (id) => document.getElementById(id);

export function incoming({ jobs, sending, list, select, most, away }) {
  async function add(files) {
    const waiting = [...files].map((file, index) => [file, { key: `${Date.now()}-${index}`, name: file.name, part: 0, state: "sending" }]);
    for (const [, row] of waiting) sending.set(row.key, row);
    list();
    let first = true;
    for (const [file, row] of waiting) {
      try {
        if (file.size > most()) throw new Refused(`${file.name} has ${size(file.size)}, more than the ${size(most())} that this page takes. Start it with --most for more, or use the command line.`);
        if (!file.size) throw new Refused(`${file.name} is empty, or a folder; drop files.`);
        const { key, note } = await upload(file, (part) => { row.part = part; list(); });
        sending.delete(row.key);
        if (note) notice(note);
        if (first && jobs.has(key)) select(key);
        first = false;
      } catch (error) {
        sending.delete(row.key);
        if (!(error instanceof Refused)) throw error;
        notice(error.message.startsWith(file.name) ? error.message : `${file.name}: ${error.message}`);
      }
      list();
    }
  }

  const notices = [];
  function notice(text) {
    notices.push(text);
    const more = notices.length > 3 ? ` And ${notices.length - 3} more.` : "";
    banner(notices.slice(-3).join(" ") + more);
    setTimeout(() => { notices.shift(); if (!notices.length) banner(""); }, 12000);
  }

  function banner(text) {
    at("banner").textContent = text || away();
    at("banner").hidden = !(text || away());
  }

  return { add, banner };
}
