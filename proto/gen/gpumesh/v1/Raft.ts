// Original file: proto/gpumesh/v1/mesh.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { RaftBatch as _gpumesh_v1_RaftBatch, RaftBatch__Output as _gpumesh_v1_RaftBatch__Output } from '../../gpumesh/v1/RaftBatch.ts';
import type { RaftReceipt as _gpumesh_v1_RaftReceipt, RaftReceipt__Output as _gpumesh_v1_RaftReceipt__Output } from '../../gpumesh/v1/RaftReceipt.ts';

/**
 * Consensus between the voters. The stream carries messages of the sender only, whose number must belong to the name
 * in its certificate. Nothing is answered while it is healthy.
 */
export interface RaftClient extends grpc.Client {
  Messages(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt__Output>;
  Messages(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt__Output>;
  messages(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt__Output>;
  messages(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt__Output>;
  
}

/**
 * Consensus between the voters. The stream carries messages of the sender only, whose number must belong to the name
 * in its certificate. Nothing is answered while it is healthy.
 */
export interface RaftHandlers extends grpc.UntypedServiceImplementation {
  Messages: grpc.handleBidiStreamingCall<_gpumesh_v1_RaftBatch__Output, _gpumesh_v1_RaftReceipt>;
  
}

export interface RaftDefinition extends grpc.ServiceDefinition {
  Messages: MethodDefinition<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt, _gpumesh_v1_RaftBatch__Output, _gpumesh_v1_RaftReceipt__Output>
}
