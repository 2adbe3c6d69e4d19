import type { DocumentView, Report } from "./document-view.ts";

/** Every secret is given exactly once: as a value, or as a reference into a key vault. */
export function credentialRules(job: DocumentView, report: Report): void {
  for (const [index, secret] of job.list("secrets").entries()) {
    eitherOf(secret, `secrets[${index}]`, ["value", "valueSecretReference"], report);
  }
  const volumes = job.object("mountVolumes");
  for (const kind of ["azureFileShares", "azureBlobFileSystems"]) {
    for (const [index, volume] of (volumes?.list(kind) ?? []).entries()) {
      const path = `mountVolumes.${kind}[${index}].credentials`;
      eitherOf(volume?.object("credentials"), path, ["accountKey", "accountKeySecretReference"], report);
    }
  }
  eitherOf(
    job.object("containerSettings")?.object("imageSourceRegistry")?.object("credentials"),
    "containerSettings.imageSourceRegistry.credentials",
    ["password", "passwordSecretReference"],
    report,
  );
}

function eitherOf(
  block: DocumentView | null | undefined,
  path: string,
  names: readonly [string, string],
  report: Report,
): void {
  if (block === null || block === undefined) return;
  const [first, second] = names;
  if (block.has(first) === block.has(second)) {
    report(path, block.has(first) ? "both" : "neither", `one of ${first} and ${second}`);
  }
}
