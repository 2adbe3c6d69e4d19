import type { Command } from "commander";
import { note, present, withMesh, type Bind } from "../cli.ts";
import { CliError, EXIT } from "../exit-code.ts";
import { instant, parseSpan } from "../output/times.ts";

/** `gpumesh join-token` */
export function addJoinTokenCommand(program: Command, bind: Bind): void {
  const command = program
    .command("join-token")
    .description("make a token with which further machines join")
    .option("--valid <span>", "how long it is good: e.g. 30m, 12h, 7d (the most)", "1h");
  bind<{ readonly valid: string }>(command, async (cli, options) => {
    const validMs = parseSpan(options.valid);
    if (validMs === null || validMs === 0 || validMs > VALID_MAX_MS) {
      throw new CliError(
        `--valid ${JSON.stringify(options.valid)}: give a time of at most 7d, such as 1h`,
        EXIT.usage,
      );
    }
    return withMesh(cli, options, async (mesh) => {
      const token = await mesh.createJoinToken({ validMs });
      await present(cli, options, token, () => `${token.token}\n`);
      if (options.output === "table") {
        note(cli, `Good until ${instant(token.expiresAtMs)}. On the machine that is to join:\n`);
        note(cli, `  gpumesh join ${token.token} --advertise THAT-MACHINE`);
      }
      return EXIT.ok;
    });
  });
}

const VALID_MAX_MS = 7 * 24 * 3_600_000;
