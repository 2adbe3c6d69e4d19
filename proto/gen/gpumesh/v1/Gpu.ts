// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface Gpu {
  'index'?: (number);
  'uuid'?: (string);
  'name'?: (string);
  /**
   * 0: unknown.
   */
  'memoryMib'?: (number | string | Long);
  'pciBusId'?: (string);
  'healthy'?: (boolean);
  'reasons'?: (string)[];
  /**
   * The job that holds it; 0: free.
   */
  'jobId'?: (number | string | Long);
}

export interface Gpu__Output {
  'index': (number);
  'uuid': (string);
  'name': (string);
  /**
   * 0: unknown.
   */
  'memoryMib': (number);
  'pciBusId': (string);
  'healthy': (boolean);
  'reasons': (string)[];
  /**
   * The job that holds it; 0: free.
   */
  'jobId': (number);
}
