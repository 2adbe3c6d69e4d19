// Original file: proto/gpumesh/v1/api.proto


export interface ListJobsRequest {
  /**
   * Only jobs in these states; empty: all.
   */
  'states'?: (string)[];
  /**
   * The newest this many; 0: 1000, which is the most.
   */
  'limit'?: (number);
}

export interface ListJobsRequest__Output {
  /**
   * Only jobs in these states; empty: all.
   */
  'states': (string)[];
  /**
   * The newest this many; 0: 1000, which is the most.
   */
  'limit': (number);
}
