// Original file: proto/gpumesh/v1/mesh.proto

import type { NotLeader as _gpumesh_v1_NotLeader, NotLeader__Output as _gpumesh_v1_NotLeader__Output } from '../../gpumesh/v1/NotLeader.ts';
import type { Welcome as _gpumesh_v1_Welcome, Welcome__Output as _gpumesh_v1_Welcome__Output } from '../../gpumesh/v1/Welcome.ts';
import type { RenewalAccepted as _gpumesh_v1_RenewalAccepted, RenewalAccepted__Output as _gpumesh_v1_RenewalAccepted__Output } from '../../gpumesh/v1/RenewalAccepted.ts';
import type { PrepareOrder as _gpumesh_v1_PrepareOrder, PrepareOrder__Output as _gpumesh_v1_PrepareOrder__Output } from '../../gpumesh/v1/PrepareOrder.ts';
import type { StartOrder as _gpumesh_v1_StartOrder, StartOrder__Output as _gpumesh_v1_StartOrder__Output } from '../../gpumesh/v1/StartOrder.ts';
import type { StopOrder as _gpumesh_v1_StopOrder, StopOrder__Output as _gpumesh_v1_StopOrder__Output } from '../../gpumesh/v1/StopOrder.ts';
import type { ReportSettled as _gpumesh_v1_ReportSettled, ReportSettled__Output as _gpumesh_v1_ReportSettled__Output } from '../../gpumesh/v1/ReportSettled.ts';
import type { Directory as _gpumesh_v1_Directory, Directory__Output as _gpumesh_v1_Directory__Output } from '../../gpumesh/v1/Directory.ts';
import type { LeftBehind as _gpumesh_v1_LeftBehind, LeftBehind__Output as _gpumesh_v1_LeftBehind__Output } from '../../gpumesh/v1/LeftBehind.ts';

export interface FromLeader {
  'notLeader'?: (_gpumesh_v1_NotLeader | null);
  'welcome'?: (_gpumesh_v1_Welcome | null);
  'renewalAccepted'?: (_gpumesh_v1_RenewalAccepted | null);
  'prepare'?: (_gpumesh_v1_PrepareOrder | null);
  'start'?: (_gpumesh_v1_StartOrder | null);
  'stop'?: (_gpumesh_v1_StopOrder | null);
  'settled'?: (_gpumesh_v1_ReportSettled | null);
  'directory'?: (_gpumesh_v1_Directory | null);
  'leftBehind'?: (_gpumesh_v1_LeftBehind | null);
  'message'?: "notLeader"|"welcome"|"renewalAccepted"|"prepare"|"start"|"stop"|"settled"|"directory"|"leftBehind";
}

export interface FromLeader__Output {
  'notLeader'?: (_gpumesh_v1_NotLeader__Output | null);
  'welcome'?: (_gpumesh_v1_Welcome__Output | null);
  'renewalAccepted'?: (_gpumesh_v1_RenewalAccepted__Output | null);
  'prepare'?: (_gpumesh_v1_PrepareOrder__Output | null);
  'start'?: (_gpumesh_v1_StartOrder__Output | null);
  'stop'?: (_gpumesh_v1_StopOrder__Output | null);
  'settled'?: (_gpumesh_v1_ReportSettled__Output | null);
  'directory'?: (_gpumesh_v1_Directory__Output | null);
  'leftBehind'?: (_gpumesh_v1_LeftBehind__Output | null);
  'message'?: "notLeader"|"welcome"|"renewalAccepted"|"prepare"|"start"|"stop"|"settled"|"directory"|"leftBehind";
}
