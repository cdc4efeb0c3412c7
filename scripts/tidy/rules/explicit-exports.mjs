const RULE = "explicit-exports";

/** A package's surface is a list of names: no `export *` anywhere in a package. */
export function explicitExports(project) {
  return project.code.flatMap((file) => {
    if (!file.isPackageSource) return [];
    return file.program.body
      .filter((node) => node.type === "ExportAllDeclaration")
      .map((node) => file.finding(RULE, node.start, `\`export *\` from "${node.source.value}"; write the names out`));
  });
}
