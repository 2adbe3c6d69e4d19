import type { Command } from "commander";
import type { VoteWish, Voters } from "../client/client.ts";
import { note, present, withMesh, type Bind } from "../cli.ts";
import { addRecoverCommand } from "./daemon-program.ts";
import { CliError, EXIT } from "../exit-code.ts";
import { table } from "../output/table.ts";
import { instant, parseSpan, span } from "../output/times.ts";

/** `gpumesh mesh voters|promote|demote|unpin|transfer-leader|set|recover` */
export function addMeshCommands(program: Command, bind: Bind): void {
  const group = program.command("mesh").description("the voters of the mesh, and its settings");
  addVotersCommand(group, bind);
  addWishCommand(group, bind, {
    name: "promote",
    about: "a node is to vote, before all others that could",
    wish: "preferred",
    done: "is to vote",
  });
  addWishCommand(group, bind, {
    name: "demote",
    about: "a node is not to vote, until it is promoted or unpinned",
    wish: "barred",
    done: "is not to vote",
  });
  addWishCommand(group, bind, {
    name: "unpin",
    about: "leave it to the mesh again whether a node votes",
    wish: "automatic",
    done: "votes or not as the mesh needs it",
  });
  addTransferCommand(group, bind);
  addSetCommand(group, bind);
  addRecoverCommand(group);
}

const TITLES = ["NUMBER", "NAME", "ROLE", "STATE", "DOMAIN", "SPOT", "WISH", "MATCH", "BEHIND", "HEARD"];

function addVotersCommand(group: Command, bind: Bind): void {
  const command = group
    .command("voters")
    .description("who votes, how far each one is, and what is being done");
  bind(command, (cli, options) =>
    withMesh(cli, options, async (mesh) => {
      const voters = await mesh.voters();
      await present(cli, options, voters, () => table(TITLES, voters.members.map(row)));
      if (options.output === "table") for (const line of remarks(voters)) note(cli, line);
      return EXIT.ok;
    }),
  );
}

function row(voter: Voters["members"][number]): readonly string[] {
  return [
    String(voter.number),
    voter.name,
    voter.leader ? "leader" : voter.role,
    voter.state,
    voter.failureDomain,
    voter.spot ? "yes" : "",
    voter.wish === "automatic" ? "" : voter.wish,
    String(voter.match),
    String(voter.behind),
    voter.leader ? "" : voter.silentMs < 0 ? "never" : `${span(voter.silentMs)} ago`,
  ];
}

function remarks(voters: Voters): readonly string[] {
  const { doing, wanted, leftBehind, recoveredAtMs } = voters;
  return [
    ...(doing === "" ? [] : [`${doing}; the voters will be ${wanted.join(", ")}`]),
    ...(leftBehind.length === 0
      ? []
      : [`The mesh was recovered at ${instant(recoveredAtMs)} without ${leftBehind.join(", ")}.`]),
  ];
}

function addWishCommand(
  group: Command,
  bind: Bind,
  what: { readonly name: string; readonly about: string; readonly wish: VoteWish; readonly done: string },
): void {
  const command = group.command(what.name).description(what.about).argument("<node>", "the node's name");
  bind(command, async (cli, options, [node = ""]) =>
    withMesh(cli, options, async (mesh) => {
      await mesh.setVote(node, what.wish);
      await present(
        cli,
        options,
        { node, wish: what.wish },
        () => `${node} ${what.done}; to see how far that is: gpumesh mesh voters\n`,
      );
      return EXIT.ok;
    }),
  );
}

function addTransferCommand(group: Command, bind: Bind): void {
  const command = group
    .command("transfer-leader")
    .description("let another voter lead")
    .argument("[node]", "its name (default: whichever has most of the log)");
  bind(command, async (cli, options, [node]) =>
    withMesh(cli, options, async (mesh) => {
      const leader = await mesh.transferLeader(node);
      await present(cli, options, { leader }, () => `${leader} leads\n`);
      return EXIT.ok;
    }),
  );
}

function addSetCommand(group: Command, bind: Bind): void {
  const command = group
    .command("set")
    .description("change the mesh's settings")
    .requiredOption("--voter-replace-after <span>", "how long a lost voter is waited for: e.g. 30s, 5m, 1h");
  bind<{ readonly voterReplaceAfter: string }>(command, async (cli, options) => {
    const voterReplaceAfterMs = parseSpan(options.voterReplaceAfter);
    if (voterReplaceAfterMs === null) {
      const given = JSON.stringify(options.voterReplaceAfter);
      throw new CliError(`--voter-replace-after ${given}: give a time such as 5m`, EXIT.usage);
    }
    return withMesh(cli, options, async (mesh) => {
      await mesh.configure({ voterReplaceAfterMs });
      await present(cli, options, { voterReplaceAfterMs }, () => "");
      return EXIT.ok;
    });
  });
}
