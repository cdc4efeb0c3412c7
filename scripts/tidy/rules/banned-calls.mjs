import { declaredNames, isReference, walk } from "../walk.mjs";

const RULE = "banned-calls";

const CLOCK = "take the time from the Clock port";
const RANDOM = "take randomness from the Random port";
const TIMER = "set a timer on the Clock port";

const CORE_GLOBALS = {
  setTimeout: TIMER,
  setInterval: TIMER,
  setImmediate: TIMER,
  queueMicrotask: "return a result and let the driver schedule",
  process: "pass the value in as an option",
  Buffer: "use Uint8Array and bytes/",
  console: "report through a return value or an event",
  performance: CLOCK,
  crypto: RANDOM,
};

const CORE_MEMBERS = { "Date.now": CLOCK, "Math.random": RANDOM };

/** Core touches no clock, randomness, timer or process except through a port; no library package writes to the console. */
export function bannedCalls(project) {
  return project.code.flatMap((file) => {
    if (!file.isPackageSource || file.isTest) return [];
    if (file.package === "core") return scan(file, CORE_GLOBALS, CORE_MEMBERS);
    if (file.package === "cli") return [];
    return scan(file, { console: "report through an event, an error or the logger option" }, {});
  });
}

function scan(file, globals, members) {
  const findings = [];
  const declared = declaredNames(file.program);
  const isGlobal = (node, name) => node?.type === "Identifier" && node.name === name && !declared.has(name);
  const say = (node, name, remedy) =>
    findings.push(file.finding(RULE, node.start, `${name} is banned in packages/${file.package}; ${remedy}`));
  walk(file.program, (node, parents) => {
    if (node.type === "Identifier" && Object.hasOwn(globals, node.name) && !declared.has(node.name) && isReference(node, parents)) {
      say(node, node.name, globals[node.name]);
    }
    if (node.type === "MemberExpression") {
      const name = node.computed ? node.property.value : node.property.name;
      if (isGlobal(node.object, "globalThis") && Object.hasOwn(globals, name)) say(node, `globalThis.${name}`, globals[name]);
      const full = `${node.object.name}.${name}`;
      if (Object.hasOwn(members, full) && isGlobal(node.object, node.object.name)) say(node, full, members[full]);
    }
    const dateOfNow = (node.type === "NewExpression" && node.arguments.length === 0) || node.type === "CallExpression";
    if (Object.hasOwn(members, "Date.now") && dateOfNow && isGlobal(node.callee, "Date")) say(node, "Date of now", CLOCK);
  });
  return findings;
}
