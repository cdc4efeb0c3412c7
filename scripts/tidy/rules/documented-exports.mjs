const RULE = "documented-exports";

/** Every name that a package's source file declares and exports has a doc comment. Re-exports are documented where they are declared. */
export function documentedExports(project) {
  return project.code.flatMap((file) => {
    if (!file.isPackageSource || file.isTest || !/\.tsx?$/.test(file.path)) return [];
    return undocumented(file).map(({ name, offset }) =>
      file.finding(RULE, offset, `exported "${name}" has no doc comment; say its contract in a /** … */ right above it`),
    );
  });
}

function undocumented(file) {
  const exported = new Map(); // name -> { offset, documented }
  const declared = new Map(); // top-level names that are not exported where they stand
  const note = (into, name, offset, documented) => {
    const known = into.get(name);
    into.set(name, { offset: known?.offset ?? offset, documented: documented || known?.documented === true });
  };
  for (const node of file.program.body) {
    const documented = hasDoc(file, node.start);
    if (node.type === "ExportDefaultDeclaration") note(exported, "default", node.start, documented);
    else if (node.type === "ExportNamedDeclaration" && node.declaration !== null) {
      for (const name of namesOf(node.declaration)) note(exported, name, node.start, documented);
    } else for (const name of namesOf(node)) note(declared, name, node.start, documented);
  }
  for (const node of file.program.body) {
    if (node.type !== "ExportNamedDeclaration" || node.declaration !== null || node.source !== null) continue;
    for (const specifier of node.specifiers) {
      const local = declared.get(specifier.local.name);
      if (local !== undefined) note(exported, specifier.local.name, local.offset, local.documented);
    }
  }
  return [...exported].filter(([, entry]) => !entry.documented).map(([name, entry]) => ({ name, offset: entry.offset }));
}

function namesOf(declaration) {
  if (declaration.type === "VariableDeclaration") return declaration.declarations.map((d) => d.id.name ?? "(pattern)");
  return declaration.id?.name === undefined ? [] : [declaration.id.name];
}

function hasDoc(file, start) {
  let end = start;
  for (const comment of file.parsed.comments.filter((c) => c.end <= start).reverse()) {
    if (file.text.slice(comment.end, end).trim() !== "") return false;
    if (comment.type === "Block" && comment.value.startsWith("*") && /\w/.test(comment.value)) return true;
    end = comment.start;
  }
  return false;
}
