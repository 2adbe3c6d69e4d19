import { defineConfig, type OxlintOverride } from "oxlint";
import { filesOf, importPatterns } from "./test/tidy/room-lint.ts";
import { impureGlobals, impureMethods, rooms, type Room } from "./test/tidy/rooms.ts";

export default defineConfig({
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
  plugins: ["typescript", "import", "unicorn", "oxc", "promise"],
  categories: { correctness: "error", suspicious: "error" },
  ignorePatterns: ["proto/gen/**"],
  rules: {
    eqeqeq: "error",
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "no-console": "error",
    "no-param-reassign": "error",
    "no-var": "error",
    "prefer-const": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-misused-promises": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-unsafe-assignment": "error",
    "typescript/no-unsafe-return": "error",
    "typescript/only-throw-error": "error",
    "typescript/prefer-readonly": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    "typescript/use-unknown-in-catch-callback-variable": "error",
    "unicorn/prefer-node-protocol": "error",

    // Rules of the two categories that do not fit: fast-check is called as fc.x, a branded id is made by a cast, a
    // function may stand where it is used, gRPC handlers answer through a callback, and the compiler already demands a
    // return on every path.
    "import/no-named-as-default-member": "off",
    "import/no-unassigned-import": "off",
    "no-shadow": "off",
    "no-unmodified-loop-condition": "off",
    "promise/always-return": "off",
    "promise/no-callback-in-promise": "off",
    "typescript/consistent-return": "off",
    "typescript/no-unsafe-type-assertion": "off",
    "unicorn/consistent-function-scoping": "off",
  },
  overrides: [
    ...rooms.map(roomRules),
    ...rooms.filter(({ pure }) => pure).map(purityRules),
    { files: ["cli/**", "test/**", "examples/**"], rules: { "no-console": "off" } },
    { files: ["*.config.ts"], rules: { "import/no-default-export": "off" } },
    {
      // Plain JavaScript has no types to be safe with.
      files: ["**/*.{js,mjs}"],
      rules: { "typescript/no-unsafe-assignment": "off", "typescript/no-unsafe-return": "off" },
    },
    {
      // The type of a vitest matcher is any.
      files: ["**/*.{test,fixture}.ts"],
      rules: { "typescript/no-non-null-assertion": "off", "typescript/no-unsafe-assignment": "off" },
    },
  ],
});

function roomRules(room: Room): OxlintOverride {
  return {
    files: filesOf(room),
    rules: { "no-restricted-imports": ["error", { patterns: [...importPatterns(room, rooms)] }] },
  };
}

function purityRules(room: Room): OxlintOverride {
  const builtins = { regex: "^node:", message: "Pure code takes what it would read as an argument." };
  return {
    files: filesOf(room),
    excludeFiles: ["**/*.{test,fixture}.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [builtins, ...importPatterns(room, rooms)] }],
      "no-restricted-globals": ["error", ...impureGlobals],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Take a seed as an argument." },
        ...impureMethods.map((property) => ({ property, message: "Its answer depends on the machine." })),
      ],
    },
  };
}
