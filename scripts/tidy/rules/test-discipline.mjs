import { declaredNames, walk } from "../walk.mjs";

const RULE = "test-discipline";
const RUNNERS = new Set(["describe", "it", "test", "suite"]);
const NARROWED = new Set(["only", "skip", "todo", "fails"]);
const BARRIER = "wait for the event itself (a promise the subject resolves, a line a process prints) or advance the virtual clock";

/** Tests synchronise with barriers, not sleeps, and none is narrowed or switched off. */
export function testDiscipline(project) {
  return project.code.flatMap((file) => (file.isTest ? [...narrowed(file), ...sleeps(file)] : []));
}

function narrowed(file) {
  const findings = [];
  walk(file.program, (node) => {
    if (node.type !== "MemberExpression" || node.computed || !NARROWED.has(node.property.name)) return;
    let root = node.object;
    while (root.type === "MemberExpression" || root.type === "CallExpression")
      root = root.type === "MemberExpression" ? root.object : root.callee;
    if (root.type !== "Identifier" || !RUNNERS.has(root.name)) return;
    findings.push(
      file.finding(RULE, node.start, `${root.name}.${node.property.name}; run it, mend it or delete it (.skipIf names a condition)`),
    );
  });
  return findings;
}

function sleeps(file) {
  const findings = [];
  const say = (node, what) => findings.push(file.finding(RULE, node.start, `${what} is a sleep; ${BARRIER}`));
  const declared = declaredNames(file.program);
  walk(file.program, (node) => {
    if (node.type === "ImportDeclaration" && /^(node:)?timers\/promises$/.test(node.source.value)) {
      const names = node.specifiers.map((s) => s.imported?.name ?? "*");
      if (names.some((name) => name !== "setImmediate")) say(node, `${names.join(", ")} of timers/promises`);
    }
    if (node.type === "NewExpression" && node.callee.name === "Promise" && resolvesAfterTimer(node.arguments[0])) {
      say(node, "a promise resolved by setTimeout");
    }
    if (node.type === "CallExpression" && /(^|\.)promisify$/.test(calleeName(node)) && node.arguments[0]?.name === "setTimeout") {
      if (!declared.has("setTimeout")) say(node, "a promisified setTimeout");
    }
    const waits = node.type === "CallExpression" && calleeName(node) === "Atomics.wait";
    if (waits) say(node, "Atomics.wait");
  });
  return findings;
}

/** `(r) => setTimeout(r, ms)` and `(r) => { setTimeout(() => r(x), ms) }`; a timer that only rejects is a time limit, not a sleep. */
function resolvesAfterTimer(executor) {
  const resolve = executor?.params?.[0]?.name;
  if (resolve === undefined) return false;
  let found = false;
  walk(executor.body, (node) => {
    if (node.type !== "CallExpression" || !/(^|\.)setTimeout$/.test(calleeName(node))) return;
    const callback = node.arguments[0];
    if (callback?.name === resolve || onlyCalls(callback?.body, resolve)) found = true;
  });
  return found;
}

function onlyCalls(body, name) {
  const expression = body?.type === "BlockStatement" && body.body.length === 1 ? body.body[0].expression : body;
  return expression?.type === "CallExpression" && expression.callee.name === name;
}

function calleeName(call) {
  const callee = call.callee;
  if (callee.type === "MemberExpression") return `${callee.object.name ?? "?"}.${callee.property.name ?? "?"}`;
  return callee.name ?? "";
}
