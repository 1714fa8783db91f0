// A layered drawing of what waits for what: what comes first stands left of what waits for it.
//
// In four steps, after Sugiyama, Tagawa and Toda (1981): edges that close a circle are left out of
// the layering; each node stands one layer right of the last that it waits for; edges over several
// layers get a place in each; sweeps put each node near the middle of its neighbours.

const SWEEPS = 6;

/**
 * @typedef {object} Edge
 * @property {number} from what comes first.
 * @property {number} to what waits for it.
 * @property {string} kind
 *
 * @typedef {object} Drawing in cells: x is the layer, y the place in it, from 0.
 * @property {Map<number, {x: number, y: number}>} nodes
 * @property {{edge: Edge, points: {x: number, y: number}[]}[]} edges from left to right.
 * @property {number} width layers.
 * @property {number} height places.
 */

/**
 * @param {number[]} nodes
 * @param {Edge[]} edges between these nodes.
 * @returns {Drawing}
 */
export function draw(nodes, edges) {
  const layers = layersOf(nodes, edges);
  const { columns, chains } = withPlaces(nodes, edges, layers);
  order(columns);
  const height = spread(columns);
  return {
    nodes: new Map(nodes.map((id) => [id, at(columns, id)])),
    edges: chains.map(({ edge, places }) => ({ edge, points: places.map(({ x, y }) => ({ x, y })) })),
    width: columns.length, height,
  };
}

const at = (columns, id) => {
  for (const column of columns) {
    const place = column.find((each) => each.id === id);
    if (place) return { x: place.x, y: place.y };
  }
  return { x: 0, y: 0 };
};

/** The layer of each node: the longest way to it. */
function layersOf(nodes, edges) {
  const after = Map.groupBy(edges, (edge) => edge.from);
  const state = new Map();
  const sorted = [];
  for (const start of nodes) {
    // Depth first without recursion: a chain may have thousands of links.
    const stack = [[start, 0]];
    if (state.has(start)) continue;
    state.set(start, "open");
    while (stack.length) {
      const top = stack.at(-1);
      const edge = after.get(top[0])?.[top[1]++];
      if (!edge) {
        state.set(top[0], "done");
        sorted.push(top[0]);
        stack.pop();
      } else if (!state.has(edge.to)) {
        state.set(edge.to, "open");
        stack.push([edge.to, 0]);
      } else if (state.get(edge.to) === "open") edge.isBack = true;
    }
  }
  const layers = new Map(nodes.map((id) => [id, 0]));
  for (const id of sorted.reverse()) {
    for (const edge of after.get(id) ?? []) {
      if (!edge.isBack) layers.set(edge.to, Math.max(layers.get(edge.to), layers.get(id) + 1));
    }
  }
  // What waits for nothing stands right before the first that waits for it.
  const waits = new Set(edges.filter((edge) => !edge.isBack).map((edge) => edge.to));
  for (const id of nodes) {
    const next = (after.get(id) ?? []).filter((edge) => !edge.isBack).map((edge) => layers.get(edge.to));
    if (!waits.has(id) && next.length) layers.set(id, Math.min(...next) - 1);
  }
  return layers;
}

/** Columns of places, for nodes and for edges that pass by; neighbours know one another. */
function withPlaces(nodes, edges, layers) {
  const columns = [];
  const place = (x, id) => {
    const made = { id, x, y: 0, left: [], right: [] };
    (columns[x] ??= []).push(made);
    return made;
  };
  const byNode = new Map();
  for (const id of nodes) byNode.set(id, place(layers.get(id), id));
  const chains = edges.map((edge) => {
    const [from, to] = edge.isBack ? [edge.to, edge.from] : [edge.from, edge.to];
    const places = [byNode.get(from)];
    for (let x = layers.get(from) + 1; x < layers.get(to); x += 1) places.push(place(x, null));
    places.push(byNode.get(to));
    for (let i = 1; i < places.length; i += 1) {
      places[i - 1].right.push(places[i]);
      places[i].left.push(places[i - 1]);
    }
    return { edge, places };
  });
  for (let x = 0; x < columns.length; x += 1) columns[x] ??= [];
  return { columns, chains };
}

function number(column) {
  column.forEach((place, y) => (place.y = y));
}

/** Fewer crossings: each column in the order of the means of its neighbours, to and fro. */
function order(columns) {
  columns.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const side = sweep % 2 ? "right" : "left";
    for (const column of sweep % 2 ? [...columns].reverse() : columns) {
      for (const place of column) place.wish = place[side].length ? mean(place[side]) : place.y;
      column.sort((one, other) => one.wish - other.wish);
      number(column);
    }
  }
}

const mean = (places) => places.reduce((sum, place) => sum + place.y, 0) / places.length;

/** Straighter edges: places move towards their neighbours as far as the order leaves room. */
function spread(columns) {
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const side = sweep % 2 ? "right" : "left";
    for (const column of sweep % 2 ? [...columns].reverse() : columns) {
      const wishes = column.map((place) => (place[side].length ? mean(place[side]) : place.y));
      place1d(column, wishes);
    }
  }
  const top = Math.min(...columns.flat().map((place) => place.y));
  for (const place of columns.flat()) place.y -= top;
  return Math.max(...columns.flat().map((place) => place.y)) + 1;
}

/** Put places as near to their wishes as can be, at least 1 apart: blocks of them share a mean. */
function place1d(column, wishes) {
  const blocks = [];
  column.forEach((_, index) => {
    let block = { from: index, count: 1, sum: wishes[index] };
    while (blocks.length) {
      const last = blocks.at(-1);
      if (last.sum / last.count + (last.count - 1) / 2 + 1 <= block.sum / block.count - (block.count - 1) / 2) break;
      blocks.pop();
      block = { from: last.from, count: last.count + block.count, sum: last.sum + block.sum };
    }
    blocks.push(block);
  });
  for (const { from, count, sum } of blocks) {
    const first = sum / count - (count - 1) / 2;
    for (let i = 0; i < count; i += 1) column[from + i].y = first + i;
  }
}
