// Original file: proto/gpumesh/v1/api.proto


export interface SubmitJobRequest {
  /**
   * Chosen by the client, unique for each intended job, 8 to 64 characters of [A-Za-z0-9-].
   */
  'requestId'?: (string);
  /**
   * The text of a job file: native YAML or JSON, or Batch AI's job.json. At most 1 MiB.
   */
  'jobFile'?: (string);
}

export interface SubmitJobRequest__Output {
  /**
   * Chosen by the client, unique for each intended job, 8 to 64 characters of [A-Za-z0-9-].
   */
  'requestId': (string);
  /**
   * The text of a job file: native YAML or JSON, or Batch AI's job.json. At most 1 MiB.
   */
  'jobFile': (string);
}
