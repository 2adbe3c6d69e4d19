// Original file: proto/gpumesh/v1/api.proto


export interface SetVoteRequest {
  /**
   * As in SubmitJobRequest.
   */
  'requestId'?: (string);
  'node'?: (string);
  /**
   * automatic, preferred or barred.
   */
  'wish'?: (string);
}

export interface SetVoteRequest__Output {
  /**
   * As in SubmitJobRequest.
   */
  'requestId': (string);
  'node': (string);
  /**
   * automatic, preferred or barred.
   */
  'wish': (string);
}
