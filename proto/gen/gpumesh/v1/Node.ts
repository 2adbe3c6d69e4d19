// Original file: proto/gpumesh/v1/api.proto

import type { Gpu as _gpumesh_v1_Gpu, Gpu__Output as _gpumesh_v1_Gpu__Output } from '../../gpumesh/v1/Gpu.ts';
import type { Interface as _gpumesh_v1_Interface, Interface__Output as _gpumesh_v1_Interface__Output } from '../../gpumesh/v1/Interface.ts';
import type { Long } from '@grpc/proto-loader';

export interface Node {
  'name'?: (string);
  'number'?: (number | string | Long);
  /**
   * joining, idle, busy, draining, unhealthy or lost.
   */
  'state'?: (string);
  'reason'?: (string);
  'address'?: (string);
  'pool'?: (string);
  'spot'?: (boolean);
  'version'?: (string);
  /**
   * voter, learner or client, and whether it leads.
   */
  'raftRole'?: (string);
  'leader'?: (boolean);
  'cpus'?: (number);
  'memoryMib'?: (number | string | Long);
  'slots'?: (number);
  'slotsUsed'?: (number);
  'driver'?: (string);
  'gpus'?: (_gpumesh_v1_Gpu)[];
  'interfaces'?: (_gpumesh_v1_Interface)[];
  'jobs'?: (number | string | Long)[];
  'sinceMs'?: (number | string | Long);
}

export interface Node__Output {
  'name': (string);
  'number': (number);
  /**
   * joining, idle, busy, draining, unhealthy or lost.
   */
  'state': (string);
  'reason': (string);
  'address': (string);
  'pool': (string);
  'spot': (boolean);
  'version': (string);
  /**
   * voter, learner or client, and whether it leads.
   */
  'raftRole': (string);
  'leader': (boolean);
  'cpus': (number);
  'memoryMib': (number);
  'slots': (number);
  'slotsUsed': (number);
  'driver': (string);
  'gpus': (_gpumesh_v1_Gpu__Output)[];
  'interfaces': (_gpumesh_v1_Interface__Output)[];
  'jobs': (number)[];
  'sinceMs': (number);
}
