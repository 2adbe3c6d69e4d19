import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { ApiClient as _gpumesh_v1_ApiClient, ApiDefinition as _gpumesh_v1_ApiDefinition } from './gpumesh/v1/Api.ts';
import type { Attempt as _gpumesh_v1_Attempt, Attempt__Output as _gpumesh_v1_Attempt__Output } from './gpumesh/v1/Attempt.ts';
import type { AttemptPart as _gpumesh_v1_AttemptPart, AttemptPart__Output as _gpumesh_v1_AttemptPart__Output } from './gpumesh/v1/AttemptPart.ts';
import type { CancelJobReply as _gpumesh_v1_CancelJobReply, CancelJobReply__Output as _gpumesh_v1_CancelJobReply__Output } from './gpumesh/v1/CancelJobReply.ts';
import type { CancelJobRequest as _gpumesh_v1_CancelJobRequest, CancelJobRequest__Output as _gpumesh_v1_CancelJobRequest__Output } from './gpumesh/v1/CancelJobRequest.ts';
import type { CreateJoinTokenReply as _gpumesh_v1_CreateJoinTokenReply, CreateJoinTokenReply__Output as _gpumesh_v1_CreateJoinTokenReply__Output } from './gpumesh/v1/CreateJoinTokenReply.ts';
import type { CreateJoinTokenRequest as _gpumesh_v1_CreateJoinTokenRequest, CreateJoinTokenRequest__Output as _gpumesh_v1_CreateJoinTokenRequest__Output } from './gpumesh/v1/CreateJoinTokenRequest.ts';
import type { Fault as _gpumesh_v1_Fault, Fault__Output as _gpumesh_v1_Fault__Output } from './gpumesh/v1/Fault.ts';
import type { GetJobRequest as _gpumesh_v1_GetJobRequest, GetJobRequest__Output as _gpumesh_v1_GetJobRequest__Output } from './gpumesh/v1/GetJobRequest.ts';
import type { GetMeshRequest as _gpumesh_v1_GetMeshRequest, GetMeshRequest__Output as _gpumesh_v1_GetMeshRequest__Output } from './gpumesh/v1/GetMeshRequest.ts';
import type { Gpu as _gpumesh_v1_Gpu, Gpu__Output as _gpumesh_v1_Gpu__Output } from './gpumesh/v1/Gpu.ts';
import type { Interface as _gpumesh_v1_Interface, Interface__Output as _gpumesh_v1_Interface__Output } from './gpumesh/v1/Interface.ts';
import type { Job as _gpumesh_v1_Job, Job__Output as _gpumesh_v1_Job__Output } from './gpumesh/v1/Job.ts';
import type { ListJobsReply as _gpumesh_v1_ListJobsReply, ListJobsReply__Output as _gpumesh_v1_ListJobsReply__Output } from './gpumesh/v1/ListJobsReply.ts';
import type { ListJobsRequest as _gpumesh_v1_ListJobsRequest, ListJobsRequest__Output as _gpumesh_v1_ListJobsRequest__Output } from './gpumesh/v1/ListJobsRequest.ts';
import type { ListNodesReply as _gpumesh_v1_ListNodesReply, ListNodesReply__Output as _gpumesh_v1_ListNodesReply__Output } from './gpumesh/v1/ListNodesReply.ts';
import type { ListNodesRequest as _gpumesh_v1_ListNodesRequest, ListNodesRequest__Output as _gpumesh_v1_ListNodesRequest__Output } from './gpumesh/v1/ListNodesRequest.ts';
import type { LogChunk as _gpumesh_v1_LogChunk, LogChunk__Output as _gpumesh_v1_LogChunk__Output } from './gpumesh/v1/LogChunk.ts';
import type { Mesh as _gpumesh_v1_Mesh, Mesh__Output as _gpumesh_v1_Mesh__Output } from './gpumesh/v1/Mesh.ts';
import type { Node as _gpumesh_v1_Node, Node__Output as _gpumesh_v1_Node__Output } from './gpumesh/v1/Node.ts';
import type { NodeWait as _gpumesh_v1_NodeWait, NodeWait__Output as _gpumesh_v1_NodeWait__Output } from './gpumesh/v1/NodeWait.ts';
import type { ReadLogRequest as _gpumesh_v1_ReadLogRequest, ReadLogRequest__Output as _gpumesh_v1_ReadLogRequest__Output } from './gpumesh/v1/ReadLogRequest.ts';
import type { SubmitJobReply as _gpumesh_v1_SubmitJobReply, SubmitJobReply__Output as _gpumesh_v1_SubmitJobReply__Output } from './gpumesh/v1/SubmitJobReply.ts';
import type { SubmitJobRequest as _gpumesh_v1_SubmitJobRequest, SubmitJobRequest__Output as _gpumesh_v1_SubmitJobRequest__Output } from './gpumesh/v1/SubmitJobRequest.ts';
import type { SubmitJobsReply as _gpumesh_v1_SubmitJobsReply, SubmitJobsReply__Output as _gpumesh_v1_SubmitJobsReply__Output } from './gpumesh/v1/SubmitJobsReply.ts';
import type { SubmitJobsRequest as _gpumesh_v1_SubmitJobsRequest, SubmitJobsRequest__Output as _gpumesh_v1_SubmitJobsRequest__Output } from './gpumesh/v1/SubmitJobsRequest.ts';
import type { Wait as _gpumesh_v1_Wait, Wait__Output as _gpumesh_v1_Wait__Output } from './gpumesh/v1/Wait.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  gpumesh: {
    v1: {
      Api: SubtypeConstructor<typeof grpc.Client, _gpumesh_v1_ApiClient> & { service: _gpumesh_v1_ApiDefinition }
      Attempt: MessageTypeDefinition<_gpumesh_v1_Attempt, _gpumesh_v1_Attempt__Output>
      AttemptPart: MessageTypeDefinition<_gpumesh_v1_AttemptPart, _gpumesh_v1_AttemptPart__Output>
      CancelJobReply: MessageTypeDefinition<_gpumesh_v1_CancelJobReply, _gpumesh_v1_CancelJobReply__Output>
      CancelJobRequest: MessageTypeDefinition<_gpumesh_v1_CancelJobRequest, _gpumesh_v1_CancelJobRequest__Output>
      CreateJoinTokenReply: MessageTypeDefinition<_gpumesh_v1_CreateJoinTokenReply, _gpumesh_v1_CreateJoinTokenReply__Output>
      CreateJoinTokenRequest: MessageTypeDefinition<_gpumesh_v1_CreateJoinTokenRequest, _gpumesh_v1_CreateJoinTokenRequest__Output>
      Fault: MessageTypeDefinition<_gpumesh_v1_Fault, _gpumesh_v1_Fault__Output>
      GetJobRequest: MessageTypeDefinition<_gpumesh_v1_GetJobRequest, _gpumesh_v1_GetJobRequest__Output>
      GetMeshRequest: MessageTypeDefinition<_gpumesh_v1_GetMeshRequest, _gpumesh_v1_GetMeshRequest__Output>
      Gpu: MessageTypeDefinition<_gpumesh_v1_Gpu, _gpumesh_v1_Gpu__Output>
      Interface: MessageTypeDefinition<_gpumesh_v1_Interface, _gpumesh_v1_Interface__Output>
      Job: MessageTypeDefinition<_gpumesh_v1_Job, _gpumesh_v1_Job__Output>
      ListJobsReply: MessageTypeDefinition<_gpumesh_v1_ListJobsReply, _gpumesh_v1_ListJobsReply__Output>
      ListJobsRequest: MessageTypeDefinition<_gpumesh_v1_ListJobsRequest, _gpumesh_v1_ListJobsRequest__Output>
      ListNodesReply: MessageTypeDefinition<_gpumesh_v1_ListNodesReply, _gpumesh_v1_ListNodesReply__Output>
      ListNodesRequest: MessageTypeDefinition<_gpumesh_v1_ListNodesRequest, _gpumesh_v1_ListNodesRequest__Output>
      LogChunk: MessageTypeDefinition<_gpumesh_v1_LogChunk, _gpumesh_v1_LogChunk__Output>
      LogStream: EnumTypeDefinition
      Mesh: MessageTypeDefinition<_gpumesh_v1_Mesh, _gpumesh_v1_Mesh__Output>
      Node: MessageTypeDefinition<_gpumesh_v1_Node, _gpumesh_v1_Node__Output>
      NodeWait: MessageTypeDefinition<_gpumesh_v1_NodeWait, _gpumesh_v1_NodeWait__Output>
      ReadLogRequest: MessageTypeDefinition<_gpumesh_v1_ReadLogRequest, _gpumesh_v1_ReadLogRequest__Output>
      SubmitJobReply: MessageTypeDefinition<_gpumesh_v1_SubmitJobReply, _gpumesh_v1_SubmitJobReply__Output>
      SubmitJobRequest: MessageTypeDefinition<_gpumesh_v1_SubmitJobRequest, _gpumesh_v1_SubmitJobRequest__Output>
      SubmitJobsReply: MessageTypeDefinition<_gpumesh_v1_SubmitJobsReply, _gpumesh_v1_SubmitJobsReply__Output>
      SubmitJobsRequest: MessageTypeDefinition<_gpumesh_v1_SubmitJobsRequest, _gpumesh_v1_SubmitJobsRequest__Output>
      Wait: MessageTypeDefinition<_gpumesh_v1_Wait, _gpumesh_v1_Wait__Output>
    }
  }
}

