// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface Interface {
  'name'?: (string);
  'address'?: (string);
  'cidr'?: (string);
  'speedMbps'?: (number | string | Long);
  'up'?: (boolean);
}

export interface Interface__Output {
  'name': (string);
  'address': (string);
  'cidr': (string);
  'speedMbps': (number);
  'up': (boolean);
}
