// The picture: tiles at any zoom, before and after beside each other, overlays, paint, a rectangle.

import { drawLayer } from "./tiles.js";

const CLOSEST = 40, FARTHEST = 1 / 512;

export class Viewer extends EventTarget {
  constructor(canvas, divider) {
    super();
    this.canvas = canvas;
    this.divider = divider;
    this.context = canvas.getContext("2d");
    this.view = "split";
    this.hand = "move";
    this.overlay = "";
    this.opacity = 1;
    this.brush = 24;
    this.split = 0.5;
    this.plane = 0;
    this.job = null;
    this.preview = null;
    this.region = null;
    this.mask = null;
    this.cursor = null;  // where the pointer or the keys are, in pixels of the frame
    this.at = { x: 0, y: 0, scale: 1 };
    new ResizeObserver(() => this.resized()).observe(canvas);
  }

  // The frame is the picture that coordinates count in: the answer where there is one, for it may be larger.
  get frame() {
    const planes = this.job?.result?.planes ?? this.job?.planes ?? [];
    return planes[Math.min(this.plane, planes.length - 1)] ?? { width: 1, height: 1 };
  }

  get before() { return this.job.planes[Math.min(this.plane, this.job.planes.length - 1)]; }

  get ratio() { return this.before.width / this.frame.width; }

  get hasAfter() { return Boolean(this.job?.result || this.preview); }

  show(job) {
    const other = job.key !== this.job?.key || job.looks !== this.job?.looks, old = this.frame.width;
    this.job = job;
    if (other) {
      this.plane = 0;
      this.preview = this.region = null;
      this.cursor = null;
      this.contrast = null;
      this.fit();
    } else if (this.frame.width !== old) {
      this.at.scale *= old / this.frame.width;
    }
    this.draw();
  }

  setPreview(image) {
    this.preview = image;
    this.draw();
  }

  // Where things are

  get width() { return this.canvas.clientWidth; }
  get height() { return this.canvas.clientHeight; }
  get paneWidth() { return this.view === "beside" && this.hasAfter ? this.width / 2 : this.width; }

  fit() {
    const { width, height } = this.frame, margin = 12;
    const scale = Math.min((this.paneWidth - margin) / width, (this.height - margin) / height);
    this.fitted = true;
    this.setScale(Math.max(FARTHEST, Math.min(scale, 8)), true);
  }

  setScale(scale, centred) {
    const pane = { x: this.paneWidth / 2, y: this.height / 2 };
    if (centred) {
      this.at = { scale, x: pane.x - (this.frame.width * scale) / 2, y: pane.y - (this.frame.height * scale) / 2 };
      this.draw();
    } else this.zoomAt(pane.x, pane.y, scale / this.at.scale);
  }

  zoomAt(x, y, factor) {
    const scale = Math.max(FARTHEST, Math.min(CLOSEST, this.at.scale * factor)), real = scale / this.at.scale;
    this.at = { scale, x: x - (x - this.at.x) * real, y: y - (y - this.at.y) * real };
    this.fitted = false;
    this.draw();
  }

  pan(dx, dy) {
    this.at.x += dx;
    this.at.y += dy;
    this.fitted = false;
    this.draw();
  }

  resized() {
    if (this.job && this.fitted) this.fit();
    else this.draw();
  }

  // From a point on the canvas to a pixel of the frame.
  point(x, y) {
    const left = this.view === "beside" && this.hasAfter && x > this.width / 2 ? this.width / 2 : 0;
    return [(x - left - this.at.x) / this.at.scale, (y - this.at.y) / this.at.scale];
  }

  // What is drawn

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.paint(); });
  }

  layer(kind) {
    const { job, plane } = this, contrast = this.contrast ?? this.before;
    let query = `low=${contrast.low}&high=${contrast.high}`, size = this.frame;
    if (kind === "picture") size = this.before;
    if (kind === "residual") query = `low=0&high=${job.result.residual}`;
    if (kind === "spread") query = `low=0&high=${job.result.spread}`;
    const run = kind === "picture" ? job.looks : job.answered;
    return { path: `/api/jobs/${job.key}/tiles/${run}/${kind}/${plane}`, width: size.width, height: size.height, query };
  }

  paint() {
    const { context, canvas } = this, dots = devicePixelRatio || 1;
    const [width, height] = [Math.round(this.width * dots), Math.round(this.height * dots)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.setTransform(dots, 0, 0, dots, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (!this.job?.planes.length) return;
    context.imageSmoothingEnabled = this.at.scale * dots < 3 && !Number.isInteger(this.at.scale * dots);
    const after = this.hasAfter, whole = { x: 0, y: 0, width: this.width, height: this.height };
    const at = this.view === "split" ? this.split * this.width : this.width / 2;
    if (!after || this.view === "before") this.pane(whole, 0, ["picture"]);
    else if (this.view === "after") this.pane(whole, 0, ["after"]);
    else {
      this.pane({ ...whole, width: at }, 0, ["picture"]);
      this.pane({ ...whole, x: at, width: this.width - at }, this.view === "beside" ? at : 0, ["after"]);
    }
    const parted = after && (this.view === "split" || this.view === "beside");
    this.divider.hidden = !(parted && this.view === "split");
    this.divider.style.left = `${at}px`;
    this.divider.setAttribute("aria-valuenow", Math.round(this.split * 100));
    this.dispatchEvent(new CustomEvent("drawn", { detail: { parted, after, at } }));
  }

  pane(box, left, kinds) {
    const context = this.context;
    context.save();
    context.beginPath();
    context.rect(box.x, box.y, box.width, box.height);
    context.clip();
    const at = { ...this.at, x: this.at.x + left };
    for (const kind of kinds) kind === "picture" ? this.drawTiles("picture", at, box) : this.drawAfter(at, box);
    this.drawMarks(at, kinds[0] === "after");
    context.restore();
  }

  drawTiles(kind, at, box) {
    const layer = this.layer(kind), scale = (at.scale * this.frame.width) / layer.width;
    drawLayer(this.context, layer, { ...at, scale }, box, devicePixelRatio || 1, () => this.draw());
  }

  drawAfter(at, box) {
    const { width, height } = this.frame, { context } = this;
    if (this.preview) {
      context.save();
      context.imageSmoothingEnabled = this.preview.naturalWidth < width || at.scale < 1;
      context.drawImage(this.preview, at.x, at.y, width * at.scale, height * at.scale);
      context.restore();
      return;
    }
    this.drawTiles("result", at, box);
    const reach = { residual: this.job.result.residual, spread: this.job.result.spread }[this.overlay];
    if (!reach) return;
    context.globalAlpha = this.opacity;
    this.drawTiles(this.overlay, at, box);
    context.globalAlpha = 1;
  }

  drawMarks(at, overAfter) {
    const { context, mask, region, cursor } = this, scale = at.scale / this.ratio;
    const paints = this.hand === "paint" || this.hand === "erase";
    if (mask?.possible && this.showsMask && (!overAfter || (paints && !this.preview))) {
      context.globalAlpha = 0.6;
      context.drawImage(mask.canvas, at.x, at.y, mask.width * scale, mask.height * scale);
      context.globalAlpha = 1;
    }
    if (region) {
      context.lineWidth = 1.5;
      for (const [dash, color] of [[[], "#000a"], [[5, 4], "#ffd84d"]]) {
        context.setLineDash(dash);
        context.strokeStyle = color;
        context.strokeRect(at.x + region[0] * scale, at.y + region[1] * scale, region[2] * scale, region[3] * scale);
      }
      context.setLineDash([]);
    }
    if (cursor && this.hand !== "move") {
      const [x, y] = [at.x + cursor[0] * at.scale, at.y + cursor[1] * at.scale];
      const radius = this.hand === "region" ? 4 : Math.max(2, (this.brush / 2) * scale);
      for (const [wide, color] of [[3, "#0008"], [1.2, "#fff"]]) {
        context.lineWidth = wide;
        context.strokeStyle = color;
        context.beginPath();
        context.arc(x, y, radius, 0, 7);
        context.stroke();
      }
    }
  }
}
