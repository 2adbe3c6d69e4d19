// Original file: proto/gpumesh/v1/mesh.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { RaftBatch as _gpumesh_v1_RaftBatch, RaftBatch__Output as _gpumesh_v1_RaftBatch__Output } from '../../gpumesh/v1/RaftBatch.ts';
import type { RaftReceipt as _gpumesh_v1_RaftReceipt, RaftReceipt__Output as _gpumesh_v1_RaftReceipt__Output } from '../../gpumesh/v1/RaftReceipt.ts';
import type { SnapshotPart as _gpumesh_v1_SnapshotPart, SnapshotPart__Output as _gpumesh_v1_SnapshotPart__Output } from '../../gpumesh/v1/SnapshotPart.ts';
import type { SnapshotReceipt as _gpumesh_v1_SnapshotReceipt, SnapshotReceipt__Output as _gpumesh_v1_SnapshotReceipt__Output } from '../../gpumesh/v1/SnapshotReceipt.ts';

/**
 * Consensus between the voters. The stream carries messages of the sender only, whose number must belong to the name
 * in its certificate. Nothing is answered after the hello while it is healthy.
 * 
 * Each stream begins with a hello. Whoever is refused gets the reason as text, and in the trailing metadata
 * `gpumesh-refusal` as a word; `gpumesh-refused-by: leader` says that a leader refuses.
 */
export interface RaftClient extends grpc.Client {
  Messages(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt__Output>;
  Messages(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt__Output>;
  messages(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt__Output>;
  messages(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt__Output>;
  
  /**
   * One snapshot: a header, then chunks of records. Each chunk is answered when it is stored, and the next one is sent
   * then; the stream ends well when all of the snapshot is taken.
   */
  Snapshot(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_SnapshotPart, _gpumesh_v1_SnapshotReceipt__Output>;
  Snapshot(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_SnapshotPart, _gpumesh_v1_SnapshotReceipt__Output>;
  /**
   * One snapshot: a header, then chunks of records. Each chunk is answered when it is stored, and the next one is sent
   * then; the stream ends well when all of the snapshot is taken.
   */
  snapshot(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_SnapshotPart, _gpumesh_v1_SnapshotReceipt__Output>;
  snapshot(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_SnapshotPart, _gpumesh_v1_SnapshotReceipt__Output>;
  
}

/**
 * Consensus between the voters. The stream carries messages of the sender only, whose number must belong to the name
 * in its certificate. Nothing is answered after the hello while it is healthy.
 * 
 * Each stream begins with a hello. Whoever is refused gets the reason as text, and in the trailing metadata
 * `gpumesh-refusal` as a word; `gpumesh-refused-by: leader` says that a leader refuses.
 */
export interface RaftHandlers extends grpc.UntypedServiceImplementation {
  Messages: grpc.handleBidiStreamingCall<_gpumesh_v1_RaftBatch__Output, _gpumesh_v1_RaftReceipt>;
  
  /**
   * One snapshot: a header, then chunks of records. Each chunk is answered when it is stored, and the next one is sent
   * then; the stream ends well when all of the snapshot is taken.
   */
  Snapshot: grpc.handleBidiStreamingCall<_gpumesh_v1_SnapshotPart__Output, _gpumesh_v1_SnapshotReceipt>;
  
}

export interface RaftDefinition extends grpc.ServiceDefinition {
  Messages: MethodDefinition<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftReceipt, _gpumesh_v1_RaftBatch__Output, _gpumesh_v1_RaftReceipt__Output>
  Snapshot: MethodDefinition<_gpumesh_v1_SnapshotPart, _gpumesh_v1_SnapshotReceipt, _gpumesh_v1_SnapshotPart__Output, _gpumesh_v1_SnapshotReceipt__Output>
}
