// Original file: proto/gpumesh/v1/mesh.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { JoinReply as _gpumesh_v1_JoinReply, JoinReply__Output as _gpumesh_v1_JoinReply__Output } from '../../gpumesh/v1/JoinReply.ts';
import type { JoinRequest as _gpumesh_v1_JoinRequest, JoinRequest__Output as _gpumesh_v1_JoinRequest__Output } from '../../gpumesh/v1/JoinRequest.ts';

export interface JoinClient extends grpc.Client {
  /**
   * Trades a join token and a certificate request for a certificate. Safe to repeat with the same request_id.
   */
  Join(argument: _gpumesh_v1_JoinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  Join(argument: _gpumesh_v1_JoinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  Join(argument: _gpumesh_v1_JoinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  Join(argument: _gpumesh_v1_JoinRequest, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  /**
   * Trades a join token and a certificate request for a certificate. Safe to repeat with the same request_id.
   */
  join(argument: _gpumesh_v1_JoinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  join(argument: _gpumesh_v1_JoinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  join(argument: _gpumesh_v1_JoinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  join(argument: _gpumesh_v1_JoinRequest, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  
}

export interface JoinHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Trades a join token and a certificate request for a certificate. Safe to repeat with the same request_id.
   */
  Join: grpc.handleUnaryCall<_gpumesh_v1_JoinRequest__Output, _gpumesh_v1_JoinReply>;
  
}

export interface JoinDefinition extends grpc.ServiceDefinition {
  Join: MethodDefinition<_gpumesh_v1_JoinRequest, _gpumesh_v1_JoinReply, _gpumesh_v1_JoinRequest__Output, _gpumesh_v1_JoinReply__Output>
}
