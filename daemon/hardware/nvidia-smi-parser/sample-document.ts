/** Builds small `nvidia-smi -q -x` documents for the tests of this room. */
export interface SampleGpu {
  readonly pciBusId?: string;
  readonly uuid?: string;
  /** Whole elements that take the place of those with the same name, or are added. */
  readonly elements?: Readonly<Record<string, string>>;
}

export function sampleDocument(gpus: readonly SampleGpu[], attached: number = gpus.length): string {
  return [
    '<?xml version="1.0" ?>',
    '<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">',
    "<nvidia_smi_log>",
    "\t<driver_version>570.148.08</driver_version>",
    "\t<cuda_version>12.8</cuda_version>",
    `\t<attached_gpus>${attached}</attached_gpus>`,
    ...gpus.map(sampleGpu),
    "",
    "</nvidia_smi_log>",
    "",
  ].join("\n");
}

export function sampleUuid(number: number): string {
  return `GPU-00000000-0000-0000-0000-${String(number).padStart(12, "0")}`;
}

function sampleGpu({
  pciBusId = "00000000:06:00.0",
  uuid = sampleUuid(0),
  elements = {},
}: SampleGpu): string {
  const all = {
    product_name: "NVIDIA A100-SXM4-40GB",
    mig_mode: "<current_mig>Disabled</current_mig><pending_mig>Disabled</pending_mig>",
    mig_devices: "None",
    uuid,
    minor_number: "0",
    gpu_recovery_action: "None",
    pci: `<pci_bus_id>${pciBusId}</pci_bus_id>`,
    fb_memory_usage: "<total>40960 MiB</total><used>12 MiB</used>",
    utilization: "<gpu_util>7 %</gpu_util><memory_util>3 %</memory_util>",
    ecc_mode: "<current_ecc>Enabled</current_ecc>",
    temperature: "<gpu_temp>33 C</gpu_temp><memory_temp>34 C</memory_temp>",
    gpu_power_readings: "<instant_power_draw>49.68 W</instant_power_draw>",
    processes: "",
    ...elements,
  };
  const children = Object.entries(all).map(([name, content]) => `\t\t<${name}>${content}</${name}>`);
  return [`\t<gpu id="${pciBusId}">`, ...children, "\t</gpu>"].join("\n");
}
