// Two small drawings: the score over the steps of a fit, and the values along a row.

function prepared(canvas) {
  const dots = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = Math.round(width * dots);
  canvas.height = Math.round(height * dots);
  const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  context.scale(dots, dots);
  context.font = "11px system-ui, sans-serif";
  return { context, width, height, color: (name) => style.getPropertyValue(`--${name}`).trim() };
}

const short = (value) => (Math.abs(value) >= 1e6 || (value && Math.abs(value) < 1e-3) ? value.toExponential(1) : String(Number(value.toPrecision(3))));

function ends(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

function axis({ context, height, color }, low, high, left, top, bottom) {
  context.fillStyle = color("soft");
  context.textAlign = "right";
  context.fillText(short(high), left - 5, top + 8);
  context.fillText(short(low), left - 5, height - bottom);
  context.strokeStyle = color("line");
  context.beginPath();
  context.moveTo(left - 0.5, top);
  context.lineTo(left - 0.5, height - bottom + 0.5);
  context.stroke();
}

function shortened(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let kept = text.length;
  while (kept > 1 && context.measureText(`${text.slice(0, kept)}…`).width > room) kept--;
  return `${text.slice(0, kept).trimEnd()}…`;
}

export function drawCurve(canvas, points, name) {
  const drawing = prepared(canvas), { context, width, height, color } = drawing;
  if (points.length < 2) return;
  const positive = points.every(([, value]) => value > 0), scale = positive ? Math.log10 : (value) => value;
  const [low, high] = ends(points.map(([, value]) => scale(value)));
  const [left, top, bottom, right] = [52, 6, 20, 8], last = points.at(-1)[0], first = points[0][0];
  axis(drawing, positive ? 10 ** low : low, positive ? 10 ** high : high, left, top, bottom);
  context.strokeStyle = color("after");
  context.lineWidth = 1.6;
  context.beginPath();
  for (const [step, value] of points) {
    const x = left + ((step - first) / (last - first || 1)) * (width - left - right);
    context.lineTo(x, top + (1 - (scale(value) - low) / (high - low)) * (height - top - bottom));
  }
  context.stroke();
  context.textAlign = "left";
  const end = `step ${last}`, room = width - left - right - context.measureText(end).width - 8;
  context.fillText(shortened(context, name, room), left, height - 5);
  context.textAlign = "right";
  context.fillText(end, width - right, height - 5);
}

// rows: {picture, result}; from, to: shares of the row that are seen; at: the share under the pointer.
export function drawProfile(canvas, rows, { from, to, at, y }) {
  const drawing = prepared(canvas), { context, width, height, color } = drawing;
  const [left, top, bottom, right] = [52, 8, 18, 8];
  const parts = Object.entries(rows).map(([kind, values]) => {
    const [a, b] = [Math.floor(from * values.length), Math.max(2, Math.ceil(to * values.length))];
    return { kind, seen: values.slice(a, b), a, count: values.length };
  });
  if (!parts.length || !parts[0].seen.length) return;
  const [low, high] = ends(parts.flatMap((part) => part.seen));
  axis(drawing, low, high, left, top, bottom);
  const across = (share) => left + ((share - from) / (to - from)) * (width - left - right);
  for (const { kind, seen, a, count } of parts) {
    context.strokeStyle = color(kind === "picture" ? "before" : "after");
    context.lineWidth = kind === "picture" ? 1 : 1.8;
    context.beginPath();
    seen.forEach((value, index) => context.lineTo(across((a + index + 0.5) / count), top + (1 - (value - low) / (high - low)) * (height - top - bottom)));
    context.stroke();
  }
  if (at >= from && at <= to) {
    context.strokeStyle = color("soft");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(across(at), top);
    context.lineTo(across(at), height - bottom);
    context.stroke();
  }
  context.textAlign = "left";
  let x = left;
  for (const [text, name] of [[`row ${y}`, "soft"], ["before", "before"], ...(rows.result ? [["after", "after"]] : [])]) {
    context.fillStyle = color(name);
    context.fillText(text, x, height - 4);
    x += context.measureText(text).width + 14;
  }
}
