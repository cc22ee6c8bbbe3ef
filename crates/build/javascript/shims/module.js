// `node:module`: all modules are in the bundle, so there is nothing to look up.
export const createRequire = () => (name) => {
  throw new Error(`cannot load ${name} at run time: name it in an import or require that \`rimward build\` can see`);
};
export const builtinModules = [];
export default { createRequire, builtinModules };
