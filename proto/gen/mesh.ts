import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Directory as _gpumesh_v1_Directory, Directory__Output as _gpumesh_v1_Directory__Output } from './gpumesh/v1/Directory.ts';
import type { DirectoryEntry as _gpumesh_v1_DirectoryEntry, DirectoryEntry__Output as _gpumesh_v1_DirectoryEntry__Output } from './gpumesh/v1/DirectoryEntry.ts';
import type { Fence as _gpumesh_v1_Fence, Fence__Output as _gpumesh_v1_Fence__Output } from './gpumesh/v1/Fence.ts';
import type { FromAgent as _gpumesh_v1_FromAgent, FromAgent__Output as _gpumesh_v1_FromAgent__Output } from './gpumesh/v1/FromAgent.ts';
import type { FromLeader as _gpumesh_v1_FromLeader, FromLeader__Output as _gpumesh_v1_FromLeader__Output } from './gpumesh/v1/FromLeader.ts';
import type { HeldLogChunk as _gpumesh_v1_HeldLogChunk, HeldLogChunk__Output as _gpumesh_v1_HeldLogChunk__Output } from './gpumesh/v1/HeldLogChunk.ts';
import type { Hello as _gpumesh_v1_Hello, Hello__Output as _gpumesh_v1_Hello__Output } from './gpumesh/v1/Hello.ts';
import type { JoinClient as _gpumesh_v1_JoinClient, JoinDefinition as _gpumesh_v1_JoinDefinition } from './gpumesh/v1/Join.ts';
import type { JoinReply as _gpumesh_v1_JoinReply, JoinReply__Output as _gpumesh_v1_JoinReply__Output } from './gpumesh/v1/JoinReply.ts';
import type { JoinRequest as _gpumesh_v1_JoinRequest, JoinRequest__Output as _gpumesh_v1_JoinRequest__Output } from './gpumesh/v1/JoinRequest.ts';
import type { NotLeader as _gpumesh_v1_NotLeader, NotLeader__Output as _gpumesh_v1_NotLeader__Output } from './gpumesh/v1/NotLeader.ts';
import type { PartStatus as _gpumesh_v1_PartStatus, PartStatus__Output as _gpumesh_v1_PartStatus__Output } from './gpumesh/v1/PartStatus.ts';
import type { PeerClient as _gpumesh_v1_PeerClient, PeerDefinition as _gpumesh_v1_PeerDefinition } from './gpumesh/v1/Peer.ts';
import type { PrepareOrder as _gpumesh_v1_PrepareOrder, PrepareOrder__Output as _gpumesh_v1_PrepareOrder__Output } from './gpumesh/v1/PrepareOrder.ts';
import type { RaftClient as _gpumesh_v1_RaftClient, RaftDefinition as _gpumesh_v1_RaftDefinition } from './gpumesh/v1/Raft.ts';
import type { RaftBatch as _gpumesh_v1_RaftBatch, RaftBatch__Output as _gpumesh_v1_RaftBatch__Output } from './gpumesh/v1/RaftBatch.ts';
import type { RaftEntry as _gpumesh_v1_RaftEntry, RaftEntry__Output as _gpumesh_v1_RaftEntry__Output } from './gpumesh/v1/RaftEntry.ts';
import type { RaftHello as _gpumesh_v1_RaftHello, RaftHello__Output as _gpumesh_v1_RaftHello__Output } from './gpumesh/v1/RaftHello.ts';
import type { RaftMessage as _gpumesh_v1_RaftMessage, RaftMessage__Output as _gpumesh_v1_RaftMessage__Output } from './gpumesh/v1/RaftMessage.ts';
import type { RaftOpening as _gpumesh_v1_RaftOpening, RaftOpening__Output as _gpumesh_v1_RaftOpening__Output } from './gpumesh/v1/RaftOpening.ts';
import type { RaftReceipt as _gpumesh_v1_RaftReceipt, RaftReceipt__Output as _gpumesh_v1_RaftReceipt__Output } from './gpumesh/v1/RaftReceipt.ts';
import type { RaftSnapshot as _gpumesh_v1_RaftSnapshot, RaftSnapshot__Output as _gpumesh_v1_RaftSnapshot__Output } from './gpumesh/v1/RaftSnapshot.ts';
import type { ReadHeldLogRequest as _gpumesh_v1_ReadHeldLogRequest, ReadHeldLogRequest__Output as _gpumesh_v1_ReadHeldLogRequest__Output } from './gpumesh/v1/ReadHeldLogRequest.ts';
import type { Renewal as _gpumesh_v1_Renewal, Renewal__Output as _gpumesh_v1_Renewal__Output } from './gpumesh/v1/Renewal.ts';
import type { RenewalAccepted as _gpumesh_v1_RenewalAccepted, RenewalAccepted__Output as _gpumesh_v1_RenewalAccepted__Output } from './gpumesh/v1/RenewalAccepted.ts';
import type { ReportSettled as _gpumesh_v1_ReportSettled, ReportSettled__Output as _gpumesh_v1_ReportSettled__Output } from './gpumesh/v1/ReportSettled.ts';
import type { ShellExit as _gpumesh_v1_ShellExit, ShellExit__Output as _gpumesh_v1_ShellExit__Output } from './gpumesh/v1/ShellExit.ts';
import type { ShellInput as _gpumesh_v1_ShellInput, ShellInput__Output as _gpumesh_v1_ShellInput__Output } from './gpumesh/v1/ShellInput.ts';
import type { ShellOpen as _gpumesh_v1_ShellOpen, ShellOpen__Output as _gpumesh_v1_ShellOpen__Output } from './gpumesh/v1/ShellOpen.ts';
import type { ShellOutput as _gpumesh_v1_ShellOutput, ShellOutput__Output as _gpumesh_v1_ShellOutput__Output } from './gpumesh/v1/ShellOutput.ts';
import type { ShellStop as _gpumesh_v1_ShellStop, ShellStop__Output as _gpumesh_v1_ShellStop__Output } from './gpumesh/v1/ShellStop.ts';
import type { SnapshotChunk as _gpumesh_v1_SnapshotChunk, SnapshotChunk__Output as _gpumesh_v1_SnapshotChunk__Output } from './gpumesh/v1/SnapshotChunk.ts';
import type { SnapshotHeader as _gpumesh_v1_SnapshotHeader, SnapshotHeader__Output as _gpumesh_v1_SnapshotHeader__Output } from './gpumesh/v1/SnapshotHeader.ts';
import type { SnapshotPart as _gpumesh_v1_SnapshotPart, SnapshotPart__Output as _gpumesh_v1_SnapshotPart__Output } from './gpumesh/v1/SnapshotPart.ts';
import type { SnapshotReceipt as _gpumesh_v1_SnapshotReceipt, SnapshotReceipt__Output as _gpumesh_v1_SnapshotReceipt__Output } from './gpumesh/v1/SnapshotReceipt.ts';
import type { StartOrder as _gpumesh_v1_StartOrder, StartOrder__Output as _gpumesh_v1_StartOrder__Output } from './gpumesh/v1/StartOrder.ts';
import type { StateRecord as _gpumesh_v1_StateRecord, StateRecord__Output as _gpumesh_v1_StateRecord__Output } from './gpumesh/v1/StateRecord.ts';
import type { StopOrder as _gpumesh_v1_StopOrder, StopOrder__Output as _gpumesh_v1_StopOrder__Output } from './gpumesh/v1/StopOrder.ts';
import type { Welcome as _gpumesh_v1_Welcome, Welcome__Output as _gpumesh_v1_Welcome__Output } from './gpumesh/v1/Welcome.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  gpumesh: {
    v1: {
      Directory: MessageTypeDefinition<_gpumesh_v1_Directory, _gpumesh_v1_Directory__Output>
      DirectoryEntry: MessageTypeDefinition<_gpumesh_v1_DirectoryEntry, _gpumesh_v1_DirectoryEntry__Output>
      Fence: MessageTypeDefinition<_gpumesh_v1_Fence, _gpumesh_v1_Fence__Output>
      FromAgent: MessageTypeDefinition<_gpumesh_v1_FromAgent, _gpumesh_v1_FromAgent__Output>
      FromLeader: MessageTypeDefinition<_gpumesh_v1_FromLeader, _gpumesh_v1_FromLeader__Output>
      HeldLogChunk: MessageTypeDefinition<_gpumesh_v1_HeldLogChunk, _gpumesh_v1_HeldLogChunk__Output>
      Hello: MessageTypeDefinition<_gpumesh_v1_Hello, _gpumesh_v1_Hello__Output>
      Join: SubtypeConstructor<typeof grpc.Client, _gpumesh_v1_JoinClient> & { service: _gpumesh_v1_JoinDefinition }
      JoinReply: MessageTypeDefinition<_gpumesh_v1_JoinReply, _gpumesh_v1_JoinReply__Output>
      JoinRequest: MessageTypeDefinition<_gpumesh_v1_JoinRequest, _gpumesh_v1_JoinRequest__Output>
      NotLeader: MessageTypeDefinition<_gpumesh_v1_NotLeader, _gpumesh_v1_NotLeader__Output>
      PartStatus: MessageTypeDefinition<_gpumesh_v1_PartStatus, _gpumesh_v1_PartStatus__Output>
      Peer: SubtypeConstructor<typeof grpc.Client, _gpumesh_v1_PeerClient> & { service: _gpumesh_v1_PeerDefinition }
      PrepareOrder: MessageTypeDefinition<_gpumesh_v1_PrepareOrder, _gpumesh_v1_PrepareOrder__Output>
      /**
       * Consensus between the voters. The stream carries messages of the sender only, whose number must belong to the name
       * in its certificate. Nothing is answered after the hello while it is healthy.
       * 
       * Each stream begins with a hello. Whoever is refused gets the reason as text, and in the trailing metadata
       * `gpumesh-refusal` as a word; `gpumesh-refused-by: leader` says that a leader refuses.
       */
      Raft: SubtypeConstructor<typeof grpc.Client, _gpumesh_v1_RaftClient> & { service: _gpumesh_v1_RaftDefinition }
      RaftBatch: MessageTypeDefinition<_gpumesh_v1_RaftBatch, _gpumesh_v1_RaftBatch__Output>
      RaftEntry: MessageTypeDefinition<_gpumesh_v1_RaftEntry, _gpumesh_v1_RaftEntry__Output>
      RaftHello: MessageTypeDefinition<_gpumesh_v1_RaftHello, _gpumesh_v1_RaftHello__Output>
      RaftMessage: MessageTypeDefinition<_gpumesh_v1_RaftMessage, _gpumesh_v1_RaftMessage__Output>
      RaftOpening: MessageTypeDefinition<_gpumesh_v1_RaftOpening, _gpumesh_v1_RaftOpening__Output>
      RaftReceipt: MessageTypeDefinition<_gpumesh_v1_RaftReceipt, _gpumesh_v1_RaftReceipt__Output>
      RaftSnapshot: MessageTypeDefinition<_gpumesh_v1_RaftSnapshot, _gpumesh_v1_RaftSnapshot__Output>
      ReadHeldLogRequest: MessageTypeDefinition<_gpumesh_v1_ReadHeldLogRequest, _gpumesh_v1_ReadHeldLogRequest__Output>
      Renewal: MessageTypeDefinition<_gpumesh_v1_Renewal, _gpumesh_v1_Renewal__Output>
      RenewalAccepted: MessageTypeDefinition<_gpumesh_v1_RenewalAccepted, _gpumesh_v1_RenewalAccepted__Output>
      ReportSettled: MessageTypeDefinition<_gpumesh_v1_ReportSettled, _gpumesh_v1_ReportSettled__Output>
      ShellExit: MessageTypeDefinition<_gpumesh_v1_ShellExit, _gpumesh_v1_ShellExit__Output>
      ShellInput: MessageTypeDefinition<_gpumesh_v1_ShellInput, _gpumesh_v1_ShellInput__Output>
      ShellOpen: MessageTypeDefinition<_gpumesh_v1_ShellOpen, _gpumesh_v1_ShellOpen__Output>
      ShellOutput: MessageTypeDefinition<_gpumesh_v1_ShellOutput, _gpumesh_v1_ShellOutput__Output>
      ShellStop: MessageTypeDefinition<_gpumesh_v1_ShellStop, _gpumesh_v1_ShellStop__Output>
      SnapshotChunk: MessageTypeDefinition<_gpumesh_v1_SnapshotChunk, _gpumesh_v1_SnapshotChunk__Output>
      SnapshotHeader: MessageTypeDefinition<_gpumesh_v1_SnapshotHeader, _gpumesh_v1_SnapshotHeader__Output>
      SnapshotPart: MessageTypeDefinition<_gpumesh_v1_SnapshotPart, _gpumesh_v1_SnapshotPart__Output>
      SnapshotReceipt: MessageTypeDefinition<_gpumesh_v1_SnapshotReceipt, _gpumesh_v1_SnapshotReceipt__Output>
      StartOrder: MessageTypeDefinition<_gpumesh_v1_StartOrder, _gpumesh_v1_StartOrder__Output>
      StateRecord: MessageTypeDefinition<_gpumesh_v1_StateRecord, _gpumesh_v1_StateRecord__Output>
      StopOrder: MessageTypeDefinition<_gpumesh_v1_StopOrder, _gpumesh_v1_StopOrder__Output>
      Welcome: MessageTypeDefinition<_gpumesh_v1_Welcome, _gpumesh_v1_Welcome__Output>
    }
  }
}

