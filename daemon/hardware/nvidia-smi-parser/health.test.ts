import { describe, expect, it } from "vitest";
import { parseNvidiaSmiXml } from "./parse-xml.ts";
import { sampleDocument } from "./sample-document.ts";
import type { GpuHealth } from "./report.ts";

const rows = (content: string) => ({ remapped_rows: content });
const fabric = (content: string) => ({ fabric: content });
const errors = (count: number) => `<volatile><dram_uncorrectable>${count}</dram_uncorrectable></volatile>`;

describe("judgeHealth", () => {
  it.each<[string, Record<string, string>, GpuHealth["verdict"], string]>([
    ["a whole subtree that reads lost", rows("GPU is lost"), "unhealthy", "fallen off the PCI bus"],
    [
      "a leaf that requires reset",
      { fb_memory_usage: "<total>[GPU requires reset]</total>" },
      "unhealthy",
      "reset",
    ],
    [
      "memory that cannot be read",
      { fb_memory_usage: "<total>Unknown Error</total>" },
      "unhealthy",
      "memory",
    ],
    [
      "any other unknown error",
      { fan_speed: "[Unknown Error]" },
      "degraded",
      "1 values read Unknown Error (fan_speed)",
    ],
    ["recovery by reset", { gpu_recovery_action: "Reset" }, "unhealthy", "--gpu-reset -i 00000000:06:00.0"],
    ["recovery by reboot", { gpu_recovery_action: "Reboot" }, "unhealthy", "reboot"],
    ["recovery by drain", { gpu_recovery_action: "Drain and Reset" }, "unhealthy", "let its jobs end"],
    ["recovery by peer drain", { gpu_recovery_action: "Drain P2P" }, "unhealthy", "peer-to-peer"],
    ["a recovery action of a later driver", { gpu_recovery_action: "Bake" }, "unhealthy", '"Bake"'],
    [
      "a reset asked for by a driver before 570",
      { gpu_recovery_action: "N/A", gpu_reset_status: "<reset_required>Yes</reset_required>" },
      "unhealthy",
      "asks for a reset",
    ],
    [
      "a failed row remap",
      rows("<remapped_row_failure>Yes</remapped_row_failure>"),
      "unhealthy",
      "replace the GPU",
    ],
    [
      "a pending row remap",
      rows("<remapped_row_pending>Yes</remapped_row_pending>"),
      "degraded",
      "next reset",
    ],
    [
      "a pending page",
      { retired_pages: "<pending_retirement>Yes</pending_retirement>" },
      "degraded",
      "next reset",
    ],
    [
      "errors on which the driver has no opinion",
      { gpu_recovery_action: "N/A", ecc_errors: errors(2) },
      "unhealthy",
      "2 uncorrectable",
    ],
    ["errors that the driver can live with", { ecc_errors: errors(2) }, "degraded", "asks for no recovery"],
    [
      "unrepairable memory",
      { ecc_errors: "<unrepairable_memory>Yes</unrepairable_memory>" },
      "unhealthy",
      "repaired",
    ],
    [
      "too many SRAM errors",
      { ecc_errors: "<aggregate><sram_threshold_exceeded>Yes</sram_threshold_exceeded></aggregate>" },
      "unhealthy",
      "threshold",
    ],
    [
      "a pending repair",
      { ecc_errors: "<tpc_repair_pending>Yes</tpc_repair_pending>" },
      "degraded",
      "repair",
    ],
    ["a fabric on its way", fabric("<state>In Progress</state>"), "unhealthy", "nvidia-fabricmanager"],
    [
      "a fabric that failed",
      fabric("<state>Completed</state><status>Failure</status>"),
      "unhealthy",
      '"Failure"',
    ],
    [
      "a fabric in ill health",
      fabric("<health><route_unhealthy>True</route_unhealthy></health>"),
      "unhealthy",
      "fabric",
    ],
    [
      "a slow fabric",
      fabric("<health><bandwidth>Degraded</bandwidth></health>"),
      "degraded",
      "reduced bandwidth",
    ],
    [
      "a change of the MIG mode under way",
      { mig_mode: "<current_mig>Disabled</current_mig><pending_mig>Enabled</pending_mig>" },
      "degraded",
      "MIG is enabled after the next reset",
    ],
    [
      "a power brake",
      {
        clocks_event_reasons:
          "<clocks_event_reason_hw_power_brake_slowdown>Active</clocks_event_reason_hw_power_brake_slowdown>",
      },
      "degraded",
      "hw_power_brake_slowdown",
    ],
  ])("finds %s", (_, elements, verdict, words) => {
    const health = healthOf(elements);
    expect(health.verdict).toBe(verdict);
    expect(health.reasons.join("; ")).toContain(words);
  });

  it.each<[string, Record<string, string>]>([
    [
      "values that are not available",
      { remapped_rows: "N/A", ecc_errors: "N/A", fabric: "<state>N/A</state>" },
    ],
    [
      "a deprecated reset status",
      { gpu_reset_status: "<reset_required>Requested functionality has been deprecated</reset_required>" },
    ],
    [
      "a complete fabric",
      fabric("<state>Completed</state><status>Success</status><health><summary>Healthy</summary></health>"),
    ],
    [
      "a software power cap",
      { clocks_event_reasons: "<clocks_event_reason_sw_power_cap>Active</clocks_event_reason_sw_power_cap>" },
    ],
  ])("has nothing to say about %s", (_, elements) => {
    expect(healthOf(elements)).toEqual({ verdict: "healthy", reasons: [] });
  });
});

function healthOf(elements: Record<string, string>): GpuHealth {
  const [gpu] = parseNvidiaSmiXml(sampleDocument([{ elements }])).gpus;
  if (gpu === undefined) throw new Error("the sample holds no readable GPU");
  return gpu.health;
}
