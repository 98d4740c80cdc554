// The mask that is painted: strokes on a canvas of the picture's size. Painted is missing.

const MOST = 40e6;  // pixels that a browser can be asked to hold

export class Mask {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.possible = width * height <= MOST;
    this.strokes = [];
    this.base = null;  // a mask that was there before
    this.canvas = document.createElement("canvas");
    if (!this.possible) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.context = this.canvas.getContext("2d");
    this.color = getComputedStyle(document.documentElement).getPropertyValue("--paint");
  }

  begin(x, y, size, erases) {
    this.strokes.push({ points: [[x, y]], size, erases });
    this.line(this.strokes.at(-1), 0);
  }

  go(x, y) {
    const stroke = this.strokes.at(-1);
    stroke.points.push([x, y]);
    this.line(stroke, stroke.points.length - 2);
  }

  line({ points, size, erases }, from) {
    const context = this.context;
    context.globalCompositeOperation = erases ? "destination-out" : "source-over";
    context.strokeStyle = context.fillStyle = this.color;
    context.lineWidth = size;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...points[from]);
    for (const point of points.slice(from + 1)) context.lineTo(...point);
    if (points.length === 1) {
      context.arc(...points[0], size / 2, 0, 7);
      context.fill();
    } else context.stroke();
  }

  redraw() {
    this.context.globalCompositeOperation = "source-over";
    this.context.clearRect(0, 0, this.width, this.height);
    if (this.base) this.context.drawImage(this.base, 0, 0);
    for (const stroke of this.strokes) this.line(stroke, 0);
  }

  undo() {
    this.strokes.pop();
    this.redraw();
  }

  clear() {
    this.strokes = [];
    this.base = null;
    this.redraw();
  }

  // Take over a mask picture: what is black in it is painted, or all else where its white marks what is missing.
  async load(address, inverted) {
    const image = new Image();
    image.src = address;
    try { await image.decode(); } catch { return; }  // no picture that browsers know
    if (image.naturalWidth !== this.width || image.naturalHeight !== this.height) return;
    const base = document.createElement("canvas");
    base.width = this.width;
    base.height = this.height;
    const context = base.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, this.width, this.height);
    context.fillStyle = this.color;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    for (let at = 0; at < pixels.data.length; at += 4) {
      const painted = (pixels.data[at] + pixels.data[at + 1] + pixels.data[at + 2] === 0) !== inverted;
      pixels.data.set([red, green, blue, painted ? 255 : 0], at);
    }
    context.putImageData(pixels, 0, 0);
    this.base = base;
    this.redraw();
  }

  // Return {blob, share}: a PNG of black, which is missing, and white; and the share that is black.
  async picture() {
    const pixels = this.context.getImageData(0, 0, this.width, this.height);
    let count = 0;
    for (let at = 0; at < pixels.data.length; at += 4) {
      const painted = pixels.data[at + 3] >= 128;
      count += painted;
      pixels.data[at] = pixels.data[at + 1] = pixels.data[at + 2] = painted ? 0 : 255;
      pixels.data[at + 3] = 255;
    }
    const flat = document.createElement("canvas");
    flat.width = this.width;
    flat.height = this.height;
    flat.getContext("2d").putImageData(pixels, 0, 0);
    const blob = await new Promise((done) => flat.toBlob(done, "image/png"));
    return { blob, share: count / (this.width * this.height) };
  }
}
