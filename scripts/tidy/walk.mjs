import { visitorKeys } from "oxc-parser";

/**
 * Visits every node of a syntax tree, parents first.
 * @param {object} root
 * @param {(node: any, parents: readonly any[]) => void} visit
 */
export function walk(root, visit) {
  const parents = [];
  const step = (node) => {
    visit(node, parents);
    parents.push(node);
    for (const key of visitorKeys[node.type] ?? []) {
      const child = node[key];
      if (Array.isArray(child)) {
        for (const item of child) if (item !== null && typeof item === "object") step(item);
      } else if (child !== null && typeof child === "object") step(child);
    }
    parents.pop();
  };
  step(root);
}

/** Names that a file declares or imports anywhere: a use of such a name is not a use of the global. */
export function declaredNames(program) {
  const names = new Set();
  const addPattern = (pattern) => {
    if (pattern === null || pattern === undefined) return;
    if (pattern.type === "Identifier") names.add(pattern.name);
    else if (pattern.type === "AssignmentPattern") addPattern(pattern.left);
    else if (pattern.type === "RestElement") addPattern(pattern.argument);
    else if (pattern.type === "ArrayPattern") pattern.elements.forEach(addPattern);
    else if (pattern.type === "ObjectPattern") for (const p of pattern.properties) addPattern(p.type === "RestElement" ? p : p.value);
  };
  walk(program, (node) => {
    if (node.type.startsWith("Import") && node.local !== undefined) names.add(node.local.name);
    if (node.type === "VariableDeclarator") addPattern(node.id);
    if (node.type.startsWith("Function") || node.type === "ClassDeclaration" || node.type === "ClassExpression") addPattern(node.id);
    if (Array.isArray(node.params)) node.params.forEach(addPattern);
    if (node.type === "CatchClause") addPattern(node.param);
  });
  return names;
}

const TYPE_ONLY = /^TS(?!AsExpression|SatisfiesExpression|NonNullExpression|InstantiationExpression)/;

/** True when the identifier is read as a value here, rather than being a key, a member's name or part of a type. */
export function isReference(node, parents) {
  const parent = parents.at(-1);
  if (parent === undefined) return true;
  if (parent.type === "MemberExpression" && parent.property === node && !parent.computed) return false;
  if (/Property|MethodDefinition|AccessorProperty/.test(parent.type) && parent.key === node && !parent.computed) {
    return parent.shorthand === true && parent.value === node;
  }
  if (/Import|Export.*Specifier|Label|Break|Continue|MetaProperty/.test(parent.type) && parent.type !== "ImportExpression") return false;
  return !TYPE_ONLY.test(parent.type);
}
