// The bars around the picture: view, zoom, hands, contrast, planes, profile, and their keys.

import { drawProfile } from "./plots.js";

const at = (id) => document.getElementById(id);

export function tools(viewer, current) {
  let onPaint = () => {};

  // Of several buttons, one is on; arrow keys go from one to the next.
  const choice = (box, attribute, chosen) => {
    const buttons = [...box.querySelectorAll(`[data-${attribute}]`)];
    const set = (value) => {
      for (const button of buttons) {
        const on = button.dataset[attribute] === value;
        button.setAttribute("aria-checked", String(on));
        button.tabIndex = on ? 0 : -1;
      }
      chosen(value);
    };
    buttons.forEach((button, index) => {
      button.tabIndex = index ? -1 : 0;
      button.onclick = () => set(button.dataset[attribute]);
      button.onkeydown = (event) => {
        const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const next = buttons[(index + step + buttons.length) % buttons.length];
        next.focus();
        set(next.dataset[attribute]);
      };
    });
    return set;
  };

  const setView = choice(at("views"), "view", (view) => {
    const wide = viewer.paneWidth;
    viewer.view = view;
    if (viewer.fitted && viewer.job && wide !== viewer.paneWidth) viewer.fit();
    viewer.draw();
  });
  const setHand = choice(at("hands"), "hand", (hand) => {
    viewer.hand = hand;
    at("canvas").className = hand;
    at("paintbox").hidden = hand !== "paint" && hand !== "erase";
    if (hand === "paint" || hand === "erase") onPaint();
    viewer.draw();
  });

  at("zoom-in").onclick = () => viewer.setScale(viewer.at.scale * 1.5);
  at("zoom-out").onclick = () => viewer.setScale(viewer.at.scale / 1.5);
  at("zoom-one").onclick = () => viewer.setScale(1);
  at("zoom-fit").onclick = () => viewer.fit();
  at("more-button").onclick = () => {
    at("more").hidden = !at("more").hidden;
    at("more-button").setAttribute("aria-expanded", String(!at("more").hidden));
  };
  at("overlay").onchange = () => { viewer.overlay = at("overlay").value; viewer.draw(); };
  at("opacity").oninput = () => { viewer.opacity = at("opacity").value / 100; viewer.draw(); };

  // Brightness and contrast: what is black and what is white, between the ends of the plane
  const ends = () => viewer.before;
  const value = (id) => ends().least + (at(id).value / 1000) * (ends().most - ends().least);
  let contrastTimer = 0;
  const contrast = () => {
    const low = value("low"), high = Math.max(value("high"), low + (ends().most - ends().least) / 1000);
    clearTimeout(contrastTimer);
    contrastTimer = setTimeout(() => { viewer.contrast = { low, high }; viewer.draw(); }, 60);
  };
  const resetContrast = () => {
    viewer.contrast = null;
    for (const id of ["low", "high"]) at(id).value = (1000 * (ends()[id] - ends().least)) / (ends().most - ends().least || 1);
    viewer.draw();
  };
  at("low").oninput = at("high").oninput = contrast;
  at("contrast-reset").onclick = resetContrast;

  // Planes of a stack
  const toPlane = (plane) => {
    const planes = viewer.job?.planes ?? [];
    if (plane < 0 || plane >= planes.length) return;
    viewer.plane = plane;
    at("plane").value = plane;
    at("plane-label").textContent = `${plane + 1} of ${planes.length}${planes[plane].label ? ` (${planes[plane].label})` : ""}`;
    at("plane").setAttribute("aria-valuetext", at("plane-label").textContent);
    if (!viewer.contrast) resetContrast();
    viewer.draw();
    row();
  };
  at("plane").oninput = () => toPlane(Number(at("plane").value));

  // Values under the pointer, and along its row
  const rows = new Map();
  let asking = null, wanted = null, point = null;
  const row = () => {
    const job = current();
    if (!point || !job?.planes.length) return;
    const y = Math.floor(point[1] * viewer.ratio);
    if (y < 0 || y >= viewer.before.height) return;
    const key = `${job.key}/${job.looks}/${job.answered}/${viewer.plane}/${y}`;
    if (rows.has(key)) { said(rows.get(key), y); return; }
    wanted = key;
    if (asking) return;
    asking = fetch(`/api/jobs/${job.key}/profile/${viewer.plane}/${y}`).then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({})).then((found) => {
      rows.set(key, found);
      if (rows.size > 200) rows.delete(rows.keys().next().value);
      asking = null;
      if (wanted === key) said(found, y);
      else row();
    });
  };
  const said = (found, y) => {
    const { width } = viewer.frame, x = Math.floor(point[0] * viewer.ratio), share = (point[0]) / width;
    const number = (values) => (values ? String(Number(values[Math.min(values.length - 1, Math.max(0, Math.floor(share * values.length)))].toPrecision(5))) : null);
    const inside = share >= 0 && share < 1;
    const after = number(found.result);
    at("place").textContent = inside && found.picture ? `x ${x}, y ${y}: ${number(found.picture)}${after === null ? "" : ` → ${after}`}` : "";
    if (at("profile").hidden) return;
    const from = Math.max(0, -viewer.at.x / viewer.at.scale / width), to = Math.min(1, (viewer.paneWidth - viewer.at.x) / viewer.at.scale / width);
    if (to > from) drawProfile(at("profile"), found, { from, to, at: share, y });
  };
  viewer.addEventListener("point", (event) => { point = event.detail ?? point; row(); });
  const profile = () => { at("profile").hidden = !at("profile-on").checked; point ??= [viewer.frame.width / 2, viewer.frame.height / 2]; row(); };
  at("profile-on").onchange = profile;
  new ResizeObserver(() => { if (!at("profile").hidden) row(); }).observe(at("profile"));

  at("brush").oninput = () => { viewer.brush = Number(at("brush").value); at("brush-size").textContent = viewer.brush; viewer.draw(); };
  const brush = (factor) => { at("brush").value = Math.max(1, Math.round(viewer.brush * factor)); at("brush").oninput(); };

  viewer.addEventListener("drawn", ({ detail: { parted, after, at: line } }) => {
    at("tag-before").hidden = !(parted || viewer.view === "before") || !after;
    at("tag-after").hidden = !(parted || viewer.view === "after") || !after;
    at("tag-before").style.right = parted ? `${viewer.width - line + 8}px` : "auto";
    at("tag-before").style.left = parted ? "auto" : "8px";
    at("tag-after").style.left = `${(parted ? line : 0) + 8}px`;
    at("tag-after").textContent = viewer.preview ? "so far" : { residual: "after: residual", spread: "after: uncertainty" }[viewer.overlay] ?? "after";
    at("scale").textContent = `${Number((100 * viewer.at.scale).toPrecision(3))} %`;
  });

  const KEYS = {
    1: () => setView("split"), 2: () => setView("beside"), 3: () => setView("before"), 4: () => setView("after"),
    0: () => viewer.setScale(1), f: () => viewer.fit(), "+": () => viewer.setScale(viewer.at.scale * 1.5), "-": () => viewer.setScale(viewer.at.scale / 1.5),
    m: () => setHand("move"), b: () => setHand("paint"), e: () => setHand("erase"), r: () => setHand("region"),
    "[": () => brush(0.8), "]": () => brush(1.25), z: () => at("undo").click(),
    ",": () => toPlane(viewer.plane - 1), ".": () => toPlane(viewer.plane + 1),
    p: () => { at("profile-on").checked = !at("profile-on").checked; profile(); },
  };
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "range";
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !viewer.job || at("keys").open) return;
    const doing = KEYS[event.key.toLowerCase()];
    if (!doing) return;
    event.preventDefault();
    doing();
  });

  let shown = null;
  return {
    onPaint: (doing) => { onPaint = doing; },
    refresh() {
      const job = current();
      if (!job?.planes.length) return;
      at("canvas").setAttribute("aria-label", `${job.name}, ${viewer.before.width} by ${viewer.before.height} pixels${job.result ? ", before and after" : ""}`);
      at("stack").hidden = job.planes.length < 2;
      at("plane").max = job.planes.length - 1;
      if (shown !== `${job.key}/${job.looks}`) {
        shown = `${job.key}/${job.looks}`;
        point = null;
        at("place").textContent = "Point at the picture for its values.";
        at("profile").getContext("2d").clearRect(0, 0, at("profile").width, at("profile").height);
        at("painted").textContent = "";
        setHand("move");
        toPlane(0);
        if (!at("profile").hidden) profile();
      }
      for (const [name, there] of [["residual", job.result?.residual], ["spread", job.result?.spread]]) {
        at("overlay").querySelector(`[value=${name}]`).disabled = !there;
        if (!there && viewer.overlay === name) at("overlay").value = viewer.overlay = "";
      }
      rows.size && row();
    },
  };
}
