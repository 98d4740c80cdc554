// Pictures that come in: sent one after the other, and what is wrong with one said in a line at the top.

import { Refused, upload } from "./api.js";
import { sorted } from "./folders.js";
import { size } from "./panel.js";

const at = (id) => document.getElementById(id);

export function incoming({ jobs, sending, list, select, known, away }) {
  // found: [{path, file}], as they were dropped or chosen
  async function add(found) {
    const { most, endings } = known();
    const { sends, left } = sorted(found, endings);
    if (left.length) notice(`In the folder ${left.length === 1 ? "one other file is" : `${left.length} other files are`} no picture: ${left.slice(0, 3).join(", ")}${left.length > 3 ? " …" : ""}.`);
    if (!sends.length && !left.length) notice("The folder holds no picture.");
    const waiting = sends.map((send, index) => [send, { key: `${Date.now()}-${index}`, name: send.name, part: 0, state: "sending" }]);
    for (const [, row] of waiting) sending.set(row.key, row);
    list();
    let first = true;
    for (const [send, row] of waiting) {
      const { name } = send;
      try {
        if (send.size > most) throw new Refused(`${name} has ${size(send.size)}, more than the ${size(most)} that this page takes. Start it with --most for more, or use the command line.`);
        if (!send.size) throw new Refused(`${name} is empty.`);
        const { key, note } = await upload(send, (part) => { row.part = part; list(); });
        sending.delete(row.key);
        if (note) notice(note);
        if (first && jobs.has(key)) select(key);
        first = false;
      } catch (error) {
        sending.delete(row.key);
        if (!(error instanceof Refused)) throw error;
        notice(error.message.startsWith(name) ? error.message : `${name}: ${error.message}`);
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
