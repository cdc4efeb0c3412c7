const RULE = "no-cycles";

/** No file may lead back to itself through imports, type-only ones included. Each knot is reported once, with one way round it. */
export function noCycles(project) {
  const edges = new Map();
  for (const file of project.code) {
    const targets = file.imports.map((entry) => ({ entry, target: project.resolve(file, entry.specifier) }));
    edges.set(
      file,
      targets.filter(({ target }) => target?.isCode),
    );
  }
  return stronglyConnected(edges).map((knot) => report(knot, edges));
}

function report(knot, edges) {
  const members = new Set(knot);
  const start = knot.reduce((a, b) => (a.path < b.path ? a : b));
  const route = shortestRound(start, members, edges);
  const first = edges.get(start).find(({ target }) => target === route[1]);
  const shown = route.map((file) => file.path).join(" -> ");
  return start.finding(RULE, first.entry.offset, `import cycle: ${shown}; move what both need into a file of its own`);
}

function shortestRound(start, members, edges) {
  const queue = [[start]];
  const seen = new Set();
  for (const route of queue) {
    for (const { target } of edges.get(route.at(-1)) ?? []) {
      if (target === start) return [...route, start];
      if (!members.has(target) || seen.has(target)) continue;
      seen.add(target);
      queue.push([...route, target]);
    }
  }
  return [start, start];
}

/** Tarjan's algorithm; only groups that contain a cycle are returned. */
function stronglyConnected(edges) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const onStack = new Set();
  const groups = [];
  const visit = (file) => {
    index.set(file, index.size);
    low.set(file, index.get(file));
    stack.push(file);
    onStack.add(file);
    for (const { target } of edges.get(file) ?? []) {
      if (!index.has(target)) {
        visit(target);
        low.set(file, Math.min(low.get(file), low.get(target)));
      } else if (onStack.has(target)) low.set(file, Math.min(low.get(file), index.get(target)));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    for (const member of group) onStack.delete(member);
    const selfLoop = (edges.get(file) ?? []).some(({ target }) => target === file);
    if (group.length > 1 || selfLoop) groups.push(group);
  };
  for (const file of edges.keys()) if (!index.has(file)) visit(file);
  return groups;
}
