import { z } from "zod";
import { absolutePath, filledText, list, record, relativePath, text } from "./schema-parts.ts";

/** What a job asks of its nodes besides processes: folders, volumes, a container image, secrets. */

const resourceId = record({ id: filledText("a resource id, or its last name") });

const environmentName = z
  .string(environmentNameMessage())
  .max(256, environmentNameMessage())
  .regex(/^(?!GPUMESH_|AZ_BATCH|CUDA_VISIBLE_DEVICES$)[A-Za-z_][A-Za-z0-9_]*$/, environmentNameMessage());

function environmentNameMessage(): string {
  return (
    "a variable name: letters, digits and _, not starting with a digit; GPUMESH_*, AZ_BATCH* and " +
    "CUDA_VISIBLE_DEVICES are set by gpumesh alone"
  );
}

const value = text("the variable's value as text (a number stands in quotes)");

export const environmentList = list(record({ name: environmentName, value }));
export const environmentMap = z.record(environmentName, value, "a map of variable names to values");

const keyVaultSecret = record({
  sourceVault: resourceId,
  secretUrl: filledText("URL of a secret in the key vault"),
});

export const secrets = list(
  record({ name: environmentName, value: value.optional(), valueSecretReference: keyVaultSecret.optional() }),
);

/** It becomes the end of a variable's name. */
const directoryId = z
  .string("an id of letters, digits and _")
  .max(64, "an id of at most 64 characters")
  .regex(/^\w+$/, "an id of letters, digits and _");

export const inputDirectories = list(record({ id: directoryId, path: absolutePath("the input directory") }));

export const outputDirectories = list(
  record({
    id: directoryId,
    pathPrefix: absolutePath("where the job's output folder is made"),
    pathSuffix: relativePath("folder inside the job's output folder").optional(),
  }),
);

const relativeMountPath = relativePath("where below the mount root it is mounted");
const octalMode = z.string("an octal file mode").regex(/^0?[0-7]{3}$/, "an octal file mode such as 0777");

const storageCredentials = record({
  accountKey: filledText("a storage account key").optional(),
  accountKeySecretReference: keyVaultSecret.optional(),
});

/** `accountName` and `credentials` may be missing: Batch AI's own recipes leave them to the command line. */
const azureFileShare = record({
  accountName: filledText("a storage account").optional(),
  azureFileUrl: filledText("URL of the file share"),
  credentials: storageCredentials.optional(),
  relativeMountPath,
  fileMode: octalMode.optional(),
  directoryMode: octalMode.optional(),
});

const azureBlobFileSystem = record({
  accountName: filledText("a storage account").optional(),
  containerName: filledText("a blob container"),
  credentials: storageCredentials.optional(),
  relativeMountPath,
  mountOptions: text("mount options").optional(),
});

const fileServer = record({
  fileServer: resourceId,
  sourceDirectory: text("a directory of the file server").optional(),
  relativeMountPath,
  mountOptions: text("mount options").optional(),
});

const unmanagedFileSystem = record({
  mountCommand: filledText("a mount command without its mount path"),
  relativeMountPath,
});

export const mountVolumes = record({
  azureFileShares: list(azureFileShare).optional(),
  azureBlobFileSystems: list(azureBlobFileSystem).optional(),
  fileServers: list(fileServer).optional(),
  unmanagedFileSystems: list(unmanagedFileSystem).optional(),
});

const registryCredentials = record({
  username: filledText("the registry's user"),
  password: text("the registry's password").optional(),
  passwordSecretReference: keyVaultSecret.optional(),
});

export const containerSettings = record({
  imageSourceRegistry: record({
    serverUrl: text("the registry's URL").optional(),
    image: filledText("a container image"),
    credentials: registryCredentials.optional(),
  }),
  shmSize: z
    .string("a size in Docker's form, such as 16gb")
    .regex(/^\d+(?:\.\d+)?\s?(?:[kKmMgG]?[bB]?)$/, "a size in Docker's form, such as 16gb")
    .optional(),
});

export const cluster = resourceId;
