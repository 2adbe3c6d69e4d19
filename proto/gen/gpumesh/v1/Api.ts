// Original file: proto/gpumesh/v1/api.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelJobReply as _gpumesh_v1_CancelJobReply, CancelJobReply__Output as _gpumesh_v1_CancelJobReply__Output } from '../../gpumesh/v1/CancelJobReply.ts';
import type { CancelJobRequest as _gpumesh_v1_CancelJobRequest, CancelJobRequest__Output as _gpumesh_v1_CancelJobRequest__Output } from '../../gpumesh/v1/CancelJobRequest.ts';
import type { CreateJoinTokenReply as _gpumesh_v1_CreateJoinTokenReply, CreateJoinTokenReply__Output as _gpumesh_v1_CreateJoinTokenReply__Output } from '../../gpumesh/v1/CreateJoinTokenReply.ts';
import type { CreateJoinTokenRequest as _gpumesh_v1_CreateJoinTokenRequest, CreateJoinTokenRequest__Output as _gpumesh_v1_CreateJoinTokenRequest__Output } from '../../gpumesh/v1/CreateJoinTokenRequest.ts';
import type { GetJobRequest as _gpumesh_v1_GetJobRequest, GetJobRequest__Output as _gpumesh_v1_GetJobRequest__Output } from '../../gpumesh/v1/GetJobRequest.ts';
import type { GetMeshRequest as _gpumesh_v1_GetMeshRequest, GetMeshRequest__Output as _gpumesh_v1_GetMeshRequest__Output } from '../../gpumesh/v1/GetMeshRequest.ts';
import type { Job as _gpumesh_v1_Job, Job__Output as _gpumesh_v1_Job__Output } from '../../gpumesh/v1/Job.ts';
import type { ListJobsReply as _gpumesh_v1_ListJobsReply, ListJobsReply__Output as _gpumesh_v1_ListJobsReply__Output } from '../../gpumesh/v1/ListJobsReply.ts';
import type { ListJobsRequest as _gpumesh_v1_ListJobsRequest, ListJobsRequest__Output as _gpumesh_v1_ListJobsRequest__Output } from '../../gpumesh/v1/ListJobsRequest.ts';
import type { ListNodesReply as _gpumesh_v1_ListNodesReply, ListNodesReply__Output as _gpumesh_v1_ListNodesReply__Output } from '../../gpumesh/v1/ListNodesReply.ts';
import type { ListNodesRequest as _gpumesh_v1_ListNodesRequest, ListNodesRequest__Output as _gpumesh_v1_ListNodesRequest__Output } from '../../gpumesh/v1/ListNodesRequest.ts';
import type { LogChunk as _gpumesh_v1_LogChunk, LogChunk__Output as _gpumesh_v1_LogChunk__Output } from '../../gpumesh/v1/LogChunk.ts';
import type { Mesh as _gpumesh_v1_Mesh, Mesh__Output as _gpumesh_v1_Mesh__Output } from '../../gpumesh/v1/Mesh.ts';
import type { ReadLogRequest as _gpumesh_v1_ReadLogRequest, ReadLogRequest__Output as _gpumesh_v1_ReadLogRequest__Output } from '../../gpumesh/v1/ReadLogRequest.ts';
import type { SubmitJobReply as _gpumesh_v1_SubmitJobReply, SubmitJobReply__Output as _gpumesh_v1_SubmitJobReply__Output } from '../../gpumesh/v1/SubmitJobReply.ts';
import type { SubmitJobRequest as _gpumesh_v1_SubmitJobRequest, SubmitJobRequest__Output as _gpumesh_v1_SubmitJobRequest__Output } from '../../gpumesh/v1/SubmitJobRequest.ts';
import type { SubmitJobsReply as _gpumesh_v1_SubmitJobsReply, SubmitJobsReply__Output as _gpumesh_v1_SubmitJobsReply__Output } from '../../gpumesh/v1/SubmitJobsReply.ts';
import type { SubmitJobsRequest as _gpumesh_v1_SubmitJobsRequest, SubmitJobsRequest__Output as _gpumesh_v1_SubmitJobsRequest__Output } from '../../gpumesh/v1/SubmitJobsRequest.ts';

export interface ApiClient extends grpc.Client {
  /**
   * Ends a job. It is `cancelled` once each of its nodes has proven that nothing of it runs.
   */
  CancelJob(argument: _gpumesh_v1_CancelJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_CancelJobReply__Output>): grpc.ClientUnaryCall;
  CancelJob(argument: _gpumesh_v1_CancelJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_CancelJobReply__Output>): grpc.ClientUnaryCall;
  CancelJob(argument: _gpumesh_v1_CancelJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_CancelJobReply__Output>): grpc.ClientUnaryCall;
  CancelJob(argument: _gpumesh_v1_CancelJobRequest, callback: grpc.requestCallback<_gpumesh_v1_CancelJobReply__Output>): grpc.ClientUnaryCall;
  /**
   * Ends a job. It is `cancelled` once each of its nodes has proven that nothing of it runs.
   */
  cancelJob(argument: _gpumesh_v1_CancelJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_CancelJobReply__Output>): grpc.ClientUnaryCall;
  cancelJob(argument: _gpumesh_v1_CancelJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_CancelJobReply__Output>): grpc.ClientUnaryCall;
  cancelJob(argument: _gpumesh_v1_CancelJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_CancelJobReply__Output>): grpc.ClientUnaryCall;
  cancelJob(argument: _gpumesh_v1_CancelJobRequest, callback: grpc.requestCallback<_gpumesh_v1_CancelJobReply__Output>): grpc.ClientUnaryCall;
  
  /**
   * Makes a token with which further machines join. Safe to repeat: the same request_id of the same user yields the same
   * token.
   */
  CreateJoinToken(argument: _gpumesh_v1_CreateJoinTokenRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_CreateJoinTokenReply__Output>): grpc.ClientUnaryCall;
  CreateJoinToken(argument: _gpumesh_v1_CreateJoinTokenRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_CreateJoinTokenReply__Output>): grpc.ClientUnaryCall;
  CreateJoinToken(argument: _gpumesh_v1_CreateJoinTokenRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_CreateJoinTokenReply__Output>): grpc.ClientUnaryCall;
  CreateJoinToken(argument: _gpumesh_v1_CreateJoinTokenRequest, callback: grpc.requestCallback<_gpumesh_v1_CreateJoinTokenReply__Output>): grpc.ClientUnaryCall;
  /**
   * Makes a token with which further machines join. Safe to repeat: the same request_id of the same user yields the same
   * token.
   */
  createJoinToken(argument: _gpumesh_v1_CreateJoinTokenRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_CreateJoinTokenReply__Output>): grpc.ClientUnaryCall;
  createJoinToken(argument: _gpumesh_v1_CreateJoinTokenRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_CreateJoinTokenReply__Output>): grpc.ClientUnaryCall;
  createJoinToken(argument: _gpumesh_v1_CreateJoinTokenRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_CreateJoinTokenReply__Output>): grpc.ClientUnaryCall;
  createJoinToken(argument: _gpumesh_v1_CreateJoinTokenRequest, callback: grpc.requestCallback<_gpumesh_v1_CreateJoinTokenReply__Output>): grpc.ClientUnaryCall;
  
  GetJob(argument: _gpumesh_v1_GetJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_Job__Output>): grpc.ClientUnaryCall;
  GetJob(argument: _gpumesh_v1_GetJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_Job__Output>): grpc.ClientUnaryCall;
  GetJob(argument: _gpumesh_v1_GetJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_Job__Output>): grpc.ClientUnaryCall;
  GetJob(argument: _gpumesh_v1_GetJobRequest, callback: grpc.requestCallback<_gpumesh_v1_Job__Output>): grpc.ClientUnaryCall;
  getJob(argument: _gpumesh_v1_GetJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_Job__Output>): grpc.ClientUnaryCall;
  getJob(argument: _gpumesh_v1_GetJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_Job__Output>): grpc.ClientUnaryCall;
  getJob(argument: _gpumesh_v1_GetJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_Job__Output>): grpc.ClientUnaryCall;
  getJob(argument: _gpumesh_v1_GetJobRequest, callback: grpc.requestCallback<_gpumesh_v1_Job__Output>): grpc.ClientUnaryCall;
  
  GetMesh(argument: _gpumesh_v1_GetMeshRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_Mesh__Output>): grpc.ClientUnaryCall;
  GetMesh(argument: _gpumesh_v1_GetMeshRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_Mesh__Output>): grpc.ClientUnaryCall;
  GetMesh(argument: _gpumesh_v1_GetMeshRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_Mesh__Output>): grpc.ClientUnaryCall;
  GetMesh(argument: _gpumesh_v1_GetMeshRequest, callback: grpc.requestCallback<_gpumesh_v1_Mesh__Output>): grpc.ClientUnaryCall;
  getMesh(argument: _gpumesh_v1_GetMeshRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_Mesh__Output>): grpc.ClientUnaryCall;
  getMesh(argument: _gpumesh_v1_GetMeshRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_Mesh__Output>): grpc.ClientUnaryCall;
  getMesh(argument: _gpumesh_v1_GetMeshRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_Mesh__Output>): grpc.ClientUnaryCall;
  getMesh(argument: _gpumesh_v1_GetMeshRequest, callback: grpc.requestCallback<_gpumesh_v1_Mesh__Output>): grpc.ClientUnaryCall;
  
  ListJobs(argument: _gpumesh_v1_ListJobsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_ListJobsReply__Output>): grpc.ClientUnaryCall;
  ListJobs(argument: _gpumesh_v1_ListJobsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_ListJobsReply__Output>): grpc.ClientUnaryCall;
  ListJobs(argument: _gpumesh_v1_ListJobsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_ListJobsReply__Output>): grpc.ClientUnaryCall;
  ListJobs(argument: _gpumesh_v1_ListJobsRequest, callback: grpc.requestCallback<_gpumesh_v1_ListJobsReply__Output>): grpc.ClientUnaryCall;
  listJobs(argument: _gpumesh_v1_ListJobsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_ListJobsReply__Output>): grpc.ClientUnaryCall;
  listJobs(argument: _gpumesh_v1_ListJobsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_ListJobsReply__Output>): grpc.ClientUnaryCall;
  listJobs(argument: _gpumesh_v1_ListJobsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_ListJobsReply__Output>): grpc.ClientUnaryCall;
  listJobs(argument: _gpumesh_v1_ListJobsRequest, callback: grpc.requestCallback<_gpumesh_v1_ListJobsReply__Output>): grpc.ClientUnaryCall;
  
  ListNodes(argument: _gpumesh_v1_ListNodesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_ListNodesReply__Output>): grpc.ClientUnaryCall;
  ListNodes(argument: _gpumesh_v1_ListNodesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_ListNodesReply__Output>): grpc.ClientUnaryCall;
  ListNodes(argument: _gpumesh_v1_ListNodesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_ListNodesReply__Output>): grpc.ClientUnaryCall;
  ListNodes(argument: _gpumesh_v1_ListNodesRequest, callback: grpc.requestCallback<_gpumesh_v1_ListNodesReply__Output>): grpc.ClientUnaryCall;
  listNodes(argument: _gpumesh_v1_ListNodesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_ListNodesReply__Output>): grpc.ClientUnaryCall;
  listNodes(argument: _gpumesh_v1_ListNodesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_ListNodesReply__Output>): grpc.ClientUnaryCall;
  listNodes(argument: _gpumesh_v1_ListNodesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_ListNodesReply__Output>): grpc.ClientUnaryCall;
  listNodes(argument: _gpumesh_v1_ListNodesRequest, callback: grpc.requestCallback<_gpumesh_v1_ListNodesReply__Output>): grpc.ClientUnaryCall;
  
  /**
   * Bytes of one log file, from an offset; with `follow` until the command has ended. A client that lost the stream
   * asks again with the offset after its last byte.
   */
  ReadLog(argument: _gpumesh_v1_ReadLogRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_LogChunk__Output>;
  ReadLog(argument: _gpumesh_v1_ReadLogRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_LogChunk__Output>;
  /**
   * Bytes of one log file, from an offset; with `follow` until the command has ended. A client that lost the stream
   * asks again with the offset after its last byte.
   */
  readLog(argument: _gpumesh_v1_ReadLogRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_LogChunk__Output>;
  readLog(argument: _gpumesh_v1_ReadLogRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_LogChunk__Output>;
  
  /**
   * Queues a job. Safe to repeat: the same request_id always yields the same job.
   */
  SubmitJob(argument: _gpumesh_v1_SubmitJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobReply__Output>): grpc.ClientUnaryCall;
  SubmitJob(argument: _gpumesh_v1_SubmitJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobReply__Output>): grpc.ClientUnaryCall;
  SubmitJob(argument: _gpumesh_v1_SubmitJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobReply__Output>): grpc.ClientUnaryCall;
  SubmitJob(argument: _gpumesh_v1_SubmitJobRequest, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobReply__Output>): grpc.ClientUnaryCall;
  /**
   * Queues a job. Safe to repeat: the same request_id always yields the same job.
   */
  submitJob(argument: _gpumesh_v1_SubmitJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobReply__Output>): grpc.ClientUnaryCall;
  submitJob(argument: _gpumesh_v1_SubmitJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobReply__Output>): grpc.ClientUnaryCall;
  submitJob(argument: _gpumesh_v1_SubmitJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobReply__Output>): grpc.ClientUnaryCall;
  submitJob(argument: _gpumesh_v1_SubmitJobRequest, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobReply__Output>): grpc.ClientUnaryCall;
  
  /**
   * Queues several jobs with one call. All are checked first: where one is wrong, none is queued. Then each is queued by
   * itself, in the order given, under its own request_id; so a call that got no answer is safe to repeat as it was.
   */
  SubmitJobs(argument: _gpumesh_v1_SubmitJobsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobsReply__Output>): grpc.ClientUnaryCall;
  SubmitJobs(argument: _gpumesh_v1_SubmitJobsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobsReply__Output>): grpc.ClientUnaryCall;
  SubmitJobs(argument: _gpumesh_v1_SubmitJobsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobsReply__Output>): grpc.ClientUnaryCall;
  SubmitJobs(argument: _gpumesh_v1_SubmitJobsRequest, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobsReply__Output>): grpc.ClientUnaryCall;
  /**
   * Queues several jobs with one call. All are checked first: where one is wrong, none is queued. Then each is queued by
   * itself, in the order given, under its own request_id; so a call that got no answer is safe to repeat as it was.
   */
  submitJobs(argument: _gpumesh_v1_SubmitJobsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobsReply__Output>): grpc.ClientUnaryCall;
  submitJobs(argument: _gpumesh_v1_SubmitJobsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobsReply__Output>): grpc.ClientUnaryCall;
  submitJobs(argument: _gpumesh_v1_SubmitJobsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobsReply__Output>): grpc.ClientUnaryCall;
  submitJobs(argument: _gpumesh_v1_SubmitJobsRequest, callback: grpc.requestCallback<_gpumesh_v1_SubmitJobsReply__Output>): grpc.ClientUnaryCall;
  
  /**
   * The job now, and again each time it changed. Intermediate states may be skipped, the last one never is. Ends by
   * itself after a terminal state.
   */
  WatchJob(argument: _gpumesh_v1_GetJobRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_Job__Output>;
  WatchJob(argument: _gpumesh_v1_GetJobRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_Job__Output>;
  /**
   * The job now, and again each time it changed. Intermediate states may be skipped, the last one never is. Ends by
   * itself after a terminal state.
   */
  watchJob(argument: _gpumesh_v1_GetJobRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_Job__Output>;
  watchJob(argument: _gpumesh_v1_GetJobRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_gpumesh_v1_Job__Output>;
  
}

export interface ApiHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Ends a job. It is `cancelled` once each of its nodes has proven that nothing of it runs.
   */
  CancelJob: grpc.handleUnaryCall<_gpumesh_v1_CancelJobRequest__Output, _gpumesh_v1_CancelJobReply>;
  
  /**
   * Makes a token with which further machines join. Safe to repeat: the same request_id of the same user yields the same
   * token.
   */
  CreateJoinToken: grpc.handleUnaryCall<_gpumesh_v1_CreateJoinTokenRequest__Output, _gpumesh_v1_CreateJoinTokenReply>;
  
  GetJob: grpc.handleUnaryCall<_gpumesh_v1_GetJobRequest__Output, _gpumesh_v1_Job>;
  
  GetMesh: grpc.handleUnaryCall<_gpumesh_v1_GetMeshRequest__Output, _gpumesh_v1_Mesh>;
  
  ListJobs: grpc.handleUnaryCall<_gpumesh_v1_ListJobsRequest__Output, _gpumesh_v1_ListJobsReply>;
  
  ListNodes: grpc.handleUnaryCall<_gpumesh_v1_ListNodesRequest__Output, _gpumesh_v1_ListNodesReply>;
  
  /**
   * Bytes of one log file, from an offset; with `follow` until the command has ended. A client that lost the stream
   * asks again with the offset after its last byte.
   */
  ReadLog: grpc.handleServerStreamingCall<_gpumesh_v1_ReadLogRequest__Output, _gpumesh_v1_LogChunk>;
  
  /**
   * Queues a job. Safe to repeat: the same request_id always yields the same job.
   */
  SubmitJob: grpc.handleUnaryCall<_gpumesh_v1_SubmitJobRequest__Output, _gpumesh_v1_SubmitJobReply>;
  
  /**
   * Queues several jobs with one call. All are checked first: where one is wrong, none is queued. Then each is queued by
   * itself, in the order given, under its own request_id; so a call that got no answer is safe to repeat as it was.
   */
  SubmitJobs: grpc.handleUnaryCall<_gpumesh_v1_SubmitJobsRequest__Output, _gpumesh_v1_SubmitJobsReply>;
  
  /**
   * The job now, and again each time it changed. Intermediate states may be skipped, the last one never is. Ends by
   * itself after a terminal state.
   */
  WatchJob: grpc.handleServerStreamingCall<_gpumesh_v1_GetJobRequest__Output, _gpumesh_v1_Job>;
  
}

export interface ApiDefinition extends grpc.ServiceDefinition {
  CancelJob: MethodDefinition<_gpumesh_v1_CancelJobRequest, _gpumesh_v1_CancelJobReply, _gpumesh_v1_CancelJobRequest__Output, _gpumesh_v1_CancelJobReply__Output>
  CreateJoinToken: MethodDefinition<_gpumesh_v1_CreateJoinTokenRequest, _gpumesh_v1_CreateJoinTokenReply, _gpumesh_v1_CreateJoinTokenRequest__Output, _gpumesh_v1_CreateJoinTokenReply__Output>
  GetJob: MethodDefinition<_gpumesh_v1_GetJobRequest, _gpumesh_v1_Job, _gpumesh_v1_GetJobRequest__Output, _gpumesh_v1_Job__Output>
  GetMesh: MethodDefinition<_gpumesh_v1_GetMeshRequest, _gpumesh_v1_Mesh, _gpumesh_v1_GetMeshRequest__Output, _gpumesh_v1_Mesh__Output>
  ListJobs: MethodDefinition<_gpumesh_v1_ListJobsRequest, _gpumesh_v1_ListJobsReply, _gpumesh_v1_ListJobsRequest__Output, _gpumesh_v1_ListJobsReply__Output>
  ListNodes: MethodDefinition<_gpumesh_v1_ListNodesRequest, _gpumesh_v1_ListNodesReply, _gpumesh_v1_ListNodesRequest__Output, _gpumesh_v1_ListNodesReply__Output>
  ReadLog: MethodDefinition<_gpumesh_v1_ReadLogRequest, _gpumesh_v1_LogChunk, _gpumesh_v1_ReadLogRequest__Output, _gpumesh_v1_LogChunk__Output>
  SubmitJob: MethodDefinition<_gpumesh_v1_SubmitJobRequest, _gpumesh_v1_SubmitJobReply, _gpumesh_v1_SubmitJobRequest__Output, _gpumesh_v1_SubmitJobReply__Output>
  SubmitJobs: MethodDefinition<_gpumesh_v1_SubmitJobsRequest, _gpumesh_v1_SubmitJobsReply, _gpumesh_v1_SubmitJobsRequest__Output, _gpumesh_v1_SubmitJobsReply__Output>
  WatchJob: MethodDefinition<_gpumesh_v1_GetJobRequest, _gpumesh_v1_Job, _gpumesh_v1_GetJobRequest__Output, _gpumesh_v1_Job__Output>
}
