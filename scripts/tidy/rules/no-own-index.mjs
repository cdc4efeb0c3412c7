const RULE = "no-own-index";

/** An index.ts is for other packages. Only its own test may import it, to pin the public surface. */
export function noOwnIndex(project) {
  return project.code.flatMap((file) => {
    if (!file.isPackageSource || /\/index\.test\.ts$/.test(file.path)) return [];
    return file.imports.flatMap((entry) => {
      const target = project.resolve(file, entry.specifier);
      const own = target !== null && target.package === file.package && /\/index\.tsx?$/.test(target.path);
      const byName = entry.specifier === `@sojourn/${file.package}` || entry.specifier.startsWith(`@sojourn/${file.package}/`);
      if (!own && !byName) return [];
      return [
        file.finding(
          RULE,
          entry.offset,
          `imports its own package's index through "${entry.specifier}"; import the file that declares the name`,
        ),
      ];
    });
  });
}
