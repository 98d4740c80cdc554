// Tiles of planes: asked for when they are looked at, kept while there is room.

const SIDE = 256;
const MOST = 600;
const images = new Map();  // address to picture
const latest = new Map();  // place to the picture that was drawn there last, at whatever contrast

function kept(address, place, ready) {
  let image = images.get(address);
  if (image) {
    images.delete(address);
    images.set(address, image);
    return image;
  }
  image = new Image();
  image.onload = () => { latest.set(place, image); ready(); };
  image.onerror = () => images.delete(address);
  image.src = address;
  images.set(address, image);
  if (images.size > MOST) images.delete(images.keys().next().value);
  if (latest.size > MOST) latest.delete(latest.keys().next().value);
  return image;
}

// Draw the part of a layer that is seen. layer: {path, width, height, query}; at: layer pixels to screen pixels,
// {x, y, scale}; box: the part of the screen, {x, y, width, height}.
export function drawLayer(context, layer, at, box, dots, ready) {
  const level = Math.max(0, Math.min(12, Math.floor(Math.log2(1 / (at.scale * dots)) + 0.01)));
  const reach = SIDE * 2 ** level;
  const from = (value, start) => Math.max(0, Math.floor((value - start) / at.scale / reach));
  const to = (value, start, length) => Math.min(Math.ceil(length / reach), Math.ceil((value - start) / at.scale / reach));
  for (let row = from(box.y, at.y); row < to(box.y + box.height, at.y, layer.height); row++) {
    for (let column = from(box.x, at.x); column < to(box.x + box.width, at.x, layer.width); column++) {
      const place = `${layer.path}/${level}/${column}/${row}`;
      const image = kept(`${place}?${layer.query}`, place, ready);
      const shown = image.complete && image.naturalWidth ? image : latest.get(place);
      const left = at.x + column * reach * at.scale, top = at.y + row * reach * at.scale;
      if (shown) {
        const step = 2 ** level * at.scale;
        context.drawImage(shown, left, top, shown.naturalWidth * step, shown.naturalHeight * step);
      } else drawCoarser(context, layer, level, column, row, at);
    }
  }
}

// While a tile is on its way, a part of a coarser one that is there stands in for it.
function drawCoarser(context, layer, level, column, row, at) {
  for (let up = 1; up <= 4; up++) {
    const share = 2 ** up, parent = latest.get(`${layer.path}/${level + up}/${column >> up}/${row >> up}`);
    if (!parent) continue;
    const side = SIDE / share, x = (column % share) * side, y = (row % share) * side;
    const width = Math.min(side, parent.naturalWidth - x), height = Math.min(side, parent.naturalHeight - y);
    const reach = SIDE * 2 ** level * at.scale;
    if (width > 0 && height > 0) {
      context.drawImage(parent, x, y, width, height, at.x + column * reach, at.y + row * reach, (width / side) * reach, (height / side) * reach);
    }
    return;
  }
}
