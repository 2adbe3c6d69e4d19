// Original file: proto/gpumesh/v1/mesh.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { FromAgent as _gpumesh_v1_FromAgent, FromAgent__Output as _gpumesh_v1_FromAgent__Output } from '../../gpumesh/v1/FromAgent.ts';
import type { FromLeader as _gpumesh_v1_FromLeader, FromLeader__Output as _gpumesh_v1_FromLeader__Output } from '../../gpumesh/v1/FromLeader.ts';
import type { HeldLogChunk as _gpumesh_v1_HeldLogChunk, HeldLogChunk__Output as _gpumesh_v1_HeldLogChunk__Output } from '../../gpumesh/v1/HeldLogChunk.ts';
import type { JoinReply as _gpumesh_v1_JoinReply, JoinReply__Output as _gpumesh_v1_JoinReply__Output } from '../../gpumesh/v1/JoinReply.ts';
import type { JoinRequest as _gpumesh_v1_JoinRequest, JoinRequest__Output as _gpumesh_v1_JoinRequest__Output } from '../../gpumesh/v1/JoinRequest.ts';
import type { ReadHeldLogRequest as _gpumesh_v1_ReadHeldLogRequest, ReadHeldLogRequest__Output as _gpumesh_v1_ReadHeldLogRequest__Output } from '../../gpumesh/v1/ReadHeldLogRequest.ts';
import type { ShellInput as _gpumesh_v1_ShellInput, ShellInput__Output as _gpumesh_v1_ShellInput__Output } from '../../gpumesh/v1/ShellInput.ts';
import type { ShellOutput as _gpumesh_v1_ShellOutput, ShellOutput__Output as _gpumesh_v1_ShellOutput__Output } from '../../gpumesh/v1/ShellOutput.ts';

export interface PeerClient extends grpc.Client {
  /**
   * A join that reached a daemon which does not lead, passed on to the one that does.
   */
  Admit(argument: _gpumesh_v1_JoinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  Admit(argument: _gpumesh_v1_JoinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  Admit(argument: _gpumesh_v1_JoinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  Admit(argument: _gpumesh_v1_JoinRequest, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  /**
   * A join that reached a daemon which does not lead, passed on to the one that does.
   */
  admit(argument: _gpumesh_v1_JoinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  admit(argument: _gpumesh_v1_JoinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  admit(argument: _gpumesh_v1_JoinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  admit(argument: _gpumesh_v1_JoinRequest, callback: grpc.requestCallback<_gpumesh_v1_JoinReply__Output>): grpc.ClientUnaryCall;
  
  /**
   * Reads a log from the daemon that holds it.
   */
  ReadHeldLog(argument: _gpumesh_v1_ReadHeldLogRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_HeldLogChunk__Output>;
  ReadHeldLog(argument: _gpumesh_v1_ReadHeldLogRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_HeldLogChunk__Output>;
  /**
   * Reads a log from the daemon that holds it.
   */
  readHeldLog(argument: _gpumesh_v1_ReadHeldLogRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_HeldLogChunk__Output>;
  readHeldLog(argument: _gpumesh_v1_ReadHeldLogRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_HeldLogChunk__Output>;
  
  /**
   * A daemon's standing line to the leader: it registers, renews its lease, gets orders and reports.
   */
  Session(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_FromAgent, _gpumesh_v1_FromLeader__Output>;
  Session(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_FromAgent, _gpumesh_v1_FromLeader__Output>;
  /**
   * A daemon's standing line to the leader: it registers, renews its lease, gets orders and reports.
   */
  session(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_FromAgent, _gpumesh_v1_FromLeader__Output>;
  session(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_FromAgent, _gpumesh_v1_FromLeader__Output>;
  
  /**
   * Runs a command on another node of the same job attempt; the remote half of gpumesh-rsh.
   */
  Shell(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_ShellInput, _gpumesh_v1_ShellOutput__Output>;
  Shell(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_ShellInput, _gpumesh_v1_ShellOutput__Output>;
  /**
   * Runs a command on another node of the same job attempt; the remote half of gpumesh-rsh.
   */
  shell(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_ShellInput, _gpumesh_v1_ShellOutput__Output>;
  shell(options?: grpc.CallOptions): grpc.ClientDuplexStream<_gpumesh_v1_ShellInput, _gpumesh_v1_ShellOutput__Output>;
  
}

export interface PeerHandlers extends grpc.UntypedServiceImplementation {
  /**
   * A join that reached a daemon which does not lead, passed on to the one that does.
   */
  Admit: grpc.handleUnaryCall<_gpumesh_v1_JoinRequest__Output, _gpumesh_v1_JoinReply>;
  
  /**
   * Reads a log from the daemon that holds it.
   */
  ReadHeldLog: grpc.handleServerStreamingCall<_gpumesh_v1_ReadHeldLogRequest__Output, _gpumesh_v1_HeldLogChunk>;
  
  /**
   * A daemon's standing line to the leader: it registers, renews its lease, gets orders and reports.
   */
  Session: grpc.handleBidiStreamingCall<_gpumesh_v1_FromAgent__Output, _gpumesh_v1_FromLeader>;
  
  /**
   * Runs a command on another node of the same job attempt; the remote half of gpumesh-rsh.
   */
  Shell: grpc.handleBidiStreamingCall<_gpumesh_v1_ShellInput__Output, _gpumesh_v1_ShellOutput>;
  
}

export interface PeerDefinition extends grpc.ServiceDefinition {
  Admit: MethodDefinition<_gpumesh_v1_JoinRequest, _gpumesh_v1_JoinReply, _gpumesh_v1_JoinRequest__Output, _gpumesh_v1_JoinReply__Output>
  ReadHeldLog: MethodDefinition<_gpumesh_v1_ReadHeldLogRequest, _gpumesh_v1_HeldLogChunk, _gpumesh_v1_ReadHeldLogRequest__Output, _gpumesh_v1_HeldLogChunk__Output>
  Session: MethodDefinition<_gpumesh_v1_FromAgent, _gpumesh_v1_FromLeader, _gpumesh_v1_FromAgent__Output, _gpumesh_v1_FromLeader__Output>
  Shell: MethodDefinition<_gpumesh_v1_ShellInput, _gpumesh_v1_ShellOutput, _gpumesh_v1_ShellInput__Output, _gpumesh_v1_ShellOutput__Output>
}
