// What pointer and keys do on the picture: move it, paint, mark a rectangle, move the line between before and after.

export function handle(viewer) {
  const { canvas, divider } = viewer;
  const pointers = new Map();
  let pinched = 0, corner = null;
  const tell = (name, detail) => viewer.dispatchEvent(new CustomEvent(name, { detail }));
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const pixel = (event) => viewer.point(...place(event)).map((value) => value * viewer.ratio);  // of the picture
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!viewer.job || (event.button && event.button !== 1)) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 2) { pinched = spread(); return; }
    if (event.button === 1 || viewer.hand === "move") canvas.classList.add("moving");
    else begin(pixel(event));
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!viewer.job) return;
    const now = place(event), before = pointers.get(event.pointerId);
    viewer.cursor = viewer.point(...now);
    tell("point", viewer.cursor);
    if (before) {
      pointers.set(event.pointerId, now);
      if (pointers.size === 2) {
        const [a, b] = [...pointers.values()], wide = spread();
        viewer.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
        viewer.zoomAt((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, wide / (pinched || wide));
        pinched = wide;
      } else if (canvas.classList.contains("moving")) viewer.pan(now[0] - before[0], now[1] - before[1]);
      else go(pixel(event));
    }
    viewer.draw();
  });

  const ended = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (!canvas.classList.contains("moving")) end();
    canvas.classList.remove("moving");
  };
  canvas.addEventListener("pointerup", ended);
  canvas.addEventListener("pointercancel", ended);
  canvas.addEventListener("pointerleave", () => { if (!pointers.size) { viewer.cursor = null; tell("point", null); viewer.draw(); } });

  canvas.addEventListener("wheel", (event) => {
    if (!viewer.job) return;
    event.preventDefault();
    const [x, y] = place(event), left = viewer.view === "beside" && viewer.hasAfter && x > viewer.width / 2 ? viewer.width / 2 : 0;
    viewer.zoomAt(x - left, y, Math.exp(-Math.max(-60, Math.min(60, event.deltaY * (event.deltaMode ? 20 : 1))) / 200));
  }, { passive: false });

  let drawing = false;
  function begin([x, y]) {
    if (viewer.hand === "region") { corner = [x, y]; viewer.region = null; return; }
    if (!viewer.mask?.possible) { tell("toolarge"); return; }
    drawing = true;
    viewer.mask.begin(x, y, viewer.brush, viewer.hand === "erase");
    viewer.draw();
  }

  function go([x, y]) {
    if (drawing) viewer.mask.go(x, y);
    if (!corner) return;
    const { width, height } = viewer.before;
    const within = (value, most) => Math.round(Math.max(0, Math.min(most, value)));
    const [left, right] = [corner[0], x].map((value) => within(value, width)).sort((a, b) => a - b);
    const [top, bottom] = [corner[1], y].map((value) => within(value, height)).sort((a, b) => a - b);
    viewer.region = right > left && bottom > top ? [left, top, right - left, bottom - top] : null;
  }

  function end() {
    if (drawing) tell("painted");
    if (corner && viewer.region) tell("region", viewer.region);
    drawing = false;
    corner = null;
  }

  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!viewer.job || event.ctrlKey || event.metaKey || event.altKey) return;
    if (step && viewer.hand === "move") viewer.pan(-40 * step[0], -40 * step[1]);
    else if (step) {
      const far = (event.shiftKey ? 1 : 12) / viewer.at.scale, { width, height } = viewer.frame;
      const [x, y] = viewer.cursor ?? [width / 2, height / 2];
      viewer.cursor = [Math.max(0, Math.min(width, x + far * step[0])), Math.max(0, Math.min(height, y + far * step[1]))];
      tell("point", viewer.cursor);
      if (corner) go(viewer.cursor.map((value) => value * viewer.ratio));
    } else if (event.key === " " && viewer.hand !== "move") {
      viewer.cursor ??= [viewer.frame.width / 2, viewer.frame.height / 2];
      const at = viewer.cursor.map((value) => value * viewer.ratio);
      if (corner) { go(at); end(); } else { begin(at); if (viewer.hand !== "region") end(); }
    } else return;
    event.preventDefault();
    viewer.draw();
  });

  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    event.preventDefault();
    divider.focus({ preventScroll: true });
  });
  divider.addEventListener("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) moveLine(place(event)[0] / viewer.width);
  });
  divider.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: viewer.split - 0.02, ArrowRight: viewer.split + 0.02, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    moveLine(to);
  });
  function moveLine(share) {
    viewer.split = Math.max(0, Math.min(1, share));
    viewer.draw();
  }
}
