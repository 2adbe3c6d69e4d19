// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface Mesh {
  'id'?: (string);
  'leader'?: (string);
  'term'?: (number | string | Long);
  /**
   * Index of the newest applied command.
   */
  'applied'?: (number | string | Long);
  'voters'?: (string)[];
  'nodesByState'?: ({[key: string]: number});
  'jobsByState'?: ({[key: string]: number});
  'gpus'?: (number);
  'gpusUsed'?: (number);
  'slots'?: (number);
  'slotsUsed'?: (number);
  'version'?: (string);
}

export interface Mesh__Output {
  'id': (string);
  'leader': (string);
  'term': (number);
  /**
   * Index of the newest applied command.
   */
  'applied': (number);
  'voters': (string)[];
  'nodesByState': ({[key: string]: number});
  'jobsByState': ({[key: string]: number});
  'gpus': (number);
  'gpusUsed': (number);
  'slots': (number);
  'slotsUsed': (number);
  'version': (string);
}
