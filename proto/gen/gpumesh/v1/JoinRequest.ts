// Original file: proto/gpumesh/v1/mesh.proto


export interface JoinRequest {
  'requestId'?: (string);
  'tokenId'?: (string);
  'tokenSecret'?: (string);
  /**
   * The name wanted: a DNS label, not yet taken.
   */
  'name'?: (string);
  /**
   * PKCS#10, PEM. Only its public key is used.
   */
  'certificateRequest'?: (string);
  /**
   * PKCS#10, PEM: for a client context on the same machine. Optional.
   */
  'clientCertificateRequest'?: (string);
}

export interface JoinRequest__Output {
  'requestId': (string);
  'tokenId': (string);
  'tokenSecret': (string);
  /**
   * The name wanted: a DNS label, not yet taken.
   */
  'name': (string);
  /**
   * PKCS#10, PEM. Only its public key is used.
   */
  'certificateRequest': (string);
  /**
   * PKCS#10, PEM: for a client context on the same machine. Optional.
   */
  'clientCertificateRequest': (string);
}
