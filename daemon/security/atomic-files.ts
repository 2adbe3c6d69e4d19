import { chmod, mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

/** Holds a whole replacement that is decided but not yet moved into place. Its presence is the commit mark. */
const decidedFolder = "replacement";
/** Holds a replacement that is still being written; worth nothing after a crash. */
const draftFolder = "replacement.draft";

/**
 * Replaces several files of one folder together: a reader that calls `finishReplacement` first sees all of the old
 * ones or all of the new ones, whenever the machine stopped. The folder gets mode 0700, the files 0600.
 *
 * The files are written and synced in a draft folder, the renaming of that folder decides, and then each file moves
 * into place. One writer at a time: a daemon's folder belongs to its daemon.
 */
export async function replaceFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await finishReplacement(folder);
  const draft = join(folder, draftFolder);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  for (const [name, text] of Object.entries(files)) await writeSynced(join(draft, name), text);
  await syncFolder(draft);
  await rename(draft, join(folder, decidedFolder));
  await syncFolder(folder);
  await finishReplacement(folder);
}

/** Moves a decided replacement into place, if there is one. Safe to run at any time and any number of times. */
export async function finishReplacement(folder: string): Promise<void> {
  const decided = join(folder, decidedFolder);
  const names = await listIfThere(decided);
  if (names === null) return;
  for (const name of names) await rename(join(decided, name), join(folder, name));
  // The moves must be on disk before the mark goes, or a crash could leave some of the old files without it.
  await syncFolder(folder);
  await rmdir(decided);
  await syncFolder(folder);
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text, "utf8");
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function listIfThere(path: string): Promise<readonly string[] | null> {
  try {
    return await readdir(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
