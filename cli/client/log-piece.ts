export type LogStreamName = "stdout" | "stderr";

/** A part of a job's logs. */
export type LogPiece =
  | {
      readonly kind: "data";
      readonly attempt: number;
      /** E.g. `task-0`. */
      readonly command: string;
      readonly stream: LogStreamName;
      /** Position of the first byte of `data` in that command's stream. */
      readonly offset: number;
      readonly data: Uint8Array;
    }
  /** The rest of this log can not be had, and will not come. */
  | {
      readonly kind: "lost";
      readonly attempt: number;
      readonly command: string;
      readonly stream: LogStreamName;
      /** The node that held it. */
      readonly node: string;
      /** One line. */
      readonly reason: string;
    };
