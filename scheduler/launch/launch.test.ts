import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PythonScript, PyTorchBackend, Toolkit } from "../model/job.ts";
import { launchInput, network } from "./launch-scenario.ts";
import type { Scenario } from "./launch-scenario.ts";
import { launchPart } from "./launch.ts";
import type { PartLaunch, TaskLaunch } from "./launch.ts";

const custom: Toolkit = { kind: "customToolkit", commandLine: "echo $HOME" };
const script: PythonScript = { interpreter: "python3", path: "$CODE/train.py", arguments: "--lr $LR" };
const code = { environment: [{ name: "CODE", value: "/my code" }] };

function pyTorch(processCount: number, backend: PyTorchBackend = "nccl"): Toolkit {
  return { kind: "pyTorch", script, processCount, backend };
}

describe("a custom toolkit", () => {
  it("runs its line once, on the head, with all facts in its environment", () => {
    const head = launched({ toolkit: custom, nodes: 2, gpusOnEach: 2 });
    expect(launched({ toolkit: custom, nodes: 2 }, 1).tasks).toEqual([]);
    const { environment, ...task } = onlyTask(head);
    expect(task).toEqual({
      name: "task-0",
      index: 0,
      label: "main",
      argv: ["/bin/sh", "-c", "echo $HOME"],
      stdoutName: "stdout.txt",
      stderrName: "stderr.txt",
    });
    expect(environment).toEqual({ ...head.environment, GPUMESH_TASK_INDEX: "0", AZ_BATCHAI_TASK_INDEX: "0" });
    expect(head.environment).toMatchInlineSnapshot(`
      {
        "AZ_BATCHAI_CLUSTER_NAME": "gpus",
        "AZ_BATCHAI_JOB_MASTER_NODE_IP": "10.0.0.4",
        "AZ_BATCHAI_JOB_MOUNT_ROOT": "/g/n1/7-3/mounts",
        "AZ_BATCHAI_JOB_TEMP": "/g/n1/7-3/work",
        "AZ_BATCHAI_JOB_TEMP_DIR": "/g/n1/7-3/work",
        "AZ_BATCHAI_MOUNT_ROOT": "/g/n1/7-3/mounts",
        "AZ_BATCHAI_MPI_HOST_FILE": "/g/n1/7-3/hostfile",
        "AZ_BATCHAI_MPI_MASTER_NODE": "10.0.0.4",
        "AZ_BATCHAI_NUM_GPUS": "2",
        "AZ_BATCHAI_NUM_GPUS_PER_NODE": "2",
        "AZ_BATCHAI_STDOUTERR_DIR": "/g/n1/7-3/logs",
        "AZ_BATCH_HOST_LIST": "10.0.0.4,10.0.0.5",
        "AZ_BATCH_MASTER_NODE": "10.0.0.4:29500",
        "AZ_BATCH_NODE_ID": "n1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": "GPU-n1-0,GPU-n1-1",
        "GLOO_SOCKET_IFNAME": "eth0",
        "GPUMESH_ATTEMPT": "3",
        "GPUMESH_ATTEMPT_DIR": "/g/n1/7-3",
        "GPUMESH_ATTEMPT_TOKEN": "attempt-token",
        "GPUMESH_EXPERIMENT": "resnet",
        "GPUMESH_HOSTFILE": "/g/n1/7-3/hostfile",
        "GPUMESH_HOST_LIST": "10.0.0.4,10.0.0.5",
        "GPUMESH_JOB_ID": "7",
        "GPUMESH_JOB_NAME": "train",
        "GPUMESH_JOB_TEMP": "/g/n1/7-3/work",
        "GPUMESH_MASTER_NODE": "10.0.0.4:29500",
        "GPUMESH_NODE": "n1",
        "GPUMESH_NODES": "n1,n2",
        "GPUMESH_NODE_COUNT": "2",
        "GPUMESH_NODE_INDEX": "0",
        "GPUMESH_NUM_GPUS": "2",
        "GPUMESH_NUM_SLOTS": "8",
        "GPUMESH_POOL": "gpus",
        "GPUMESH_PROCESS_COUNT": "1",
        "GPUMESH_STDOUTERR_DIR": "/g/n1/7-3/logs",
        "GPUMESH_WORKING_DIRECTORY": "/g/n1/7-3",
        "GPUMESH_WORKSPACE": "vision",
        "HOME": "/home/user",
        "HYDRA_HOST_FILE": "/g/n1/7-3/hostfile.mpich",
        "HYDRA_IFACE": "eth0",
        "HYDRA_LAUNCHER": "ssh",
        "HYDRA_LAUNCHER_EXEC": "/opt/gpumesh/rsh",
        "I_MPI_HYDRA_BOOTSTRAP": "ssh",
        "I_MPI_HYDRA_BOOTSTRAP_EXEC": "/opt/gpumesh/rsh",
        "I_MPI_HYDRA_HOST_FILE": "/g/n1/7-3/hostfile.mpich",
        "I_MPI_HYDRA_IFACE": "eth0",
        "MASTER_ADDR": "10.0.0.4",
        "MASTER_PORT": "29500",
        "NCCL_SOCKET_FAMILY": "AF_INET",
        "NCCL_SOCKET_IFNAME": "=eth0",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_btl": "^openib",
        "OMPI_MCA_btl_tcp_if_include": "10.0.0.0/24",
        "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
        "OMPI_MCA_oob_tcp_if_include": "10.0.0.0/24",
        "OMPI_MCA_orte_default_hostfile": "/g/n1/7-3/hostfile",
        "OMPI_MCA_orte_keep_fqdn_hostnames": "1",
        "OMPI_MCA_plm_rsh_agent": "/opt/gpumesh/rsh",
        "OMPI_MCA_plm_rsh_num_concurrent": "128",
        "OMPI_MCA_pml": "ob1",
        "OMPI_MCA_routed_radix": "64",
        "PATH": "/usr/bin:/bin",
        "PRTE_MCA_plm_ssh_agent": "/opt/gpumesh/rsh",
        "PRTE_MCA_prte_default_hostfile": "/g/n1/7-3/hostfile",
        "PRTE_MCA_prte_if_include": "10.0.0.0/24",
        "TMPDIR": "/g/n1/7-3/tmp",
        "TP_SOCKET_IFNAME": "eth0",
      }
    `);
  });

  it("has its folders made, and host files written", () => {
    const head = launched({ toolkit: custom });
    expect(head.directories).toEqual([
      "/g/n1/7-3/work",
      "/g/n1/7-3/tmp",
      "/g/n1/7-3/mounts",
      "/g/n1/7-3/shared",
      "/g/n1/7-3/logs",
    ]);
    expect(head.files.map(({ path, mode }) => [path, mode])).toEqual([
      ["/g/n1/7-3/hostfile", 0o644],
      ["/g/n1/7-3/hostfile.mpich", 0o644],
    ]);
    expect(head.workingDirectory).toBe("/g/n1/7-3");
    expect(head.logDirectory).toBe("/g/n1/7-3/logs");
  });

  it("has a shared folder only where it is alone on one node", () => {
    expect(launched({ toolkit: custom }).environment["AZ_BATCHAI_SHARED_JOB_TEMP"]).toBe("/g/n1/7-3/shared");
    const two = launched({ toolkit: custom, nodes: 2 });
    expect(two.environment).not.toHaveProperty("AZ_BATCHAI_SHARED_JOB_TEMP");
    expect(two.directories).not.toContain("/g/n1/7-3/shared");
  });
});

describe("an MPI job", () => {
  it("runs mpirun on the head; the other nodes only serve its remote shell", () => {
    const toolkit: Toolkit = { kind: "customMpi", commandLine: "./a.out 'x y'", processCount: 5 };
    const head = launched({ toolkit, nodes: 2 });
    expect(onlyTask(head)).toMatchObject({
      name: "task-0",
      label: "mpirun",
      stdoutName: "stdout.txt",
      argv: [
        ..."mpirun -np 5 --hostfile /g/n1/7-3/hostfile -bind-to none -map-by slot".split(" "),
        "/bin/sh",
        "-c",
        'cd "$GPUMESH_WORKING_DIRECTORY" && exec /bin/sh -c "$1"',
        "rank",
        "./a.out 'x y'",
      ],
    });
    expect(onlyTask(head).environment).toEqual(head.environment);
    expect(head.files[0]?.content).toBe("host-n1 slots=3\nn2 slots=2\n");
    const second = launched({ toolkit, nodes: 2 }, 1);
    expect(second.tasks).toEqual([]);
    expect(second.environment).toMatchObject({
      GPUMESH_WORKING_DIRECTORY: "/g/n2/7-3",
      TMPDIR: "/g/n2/7-3/tmp",
      NCCL_SOCKET_IFNAME: "=eth1",
    });
  });

  it.each([
    ["horovod", { kind: "horovod", script, processCount: 2 }],
    ["pyTorch over MPI", pyTorch(2, "mpi")],
  ] as const)("may be %s: mpirun over the script", (_, toolkit) => {
    const task = onlyTask(launched({ toolkit, nodes: 2, spec: code }));
    expect(task.label).toBe("mpirun");
    expect(task.argv.at(-1)).toBe("'python3' '/my code/train.py' --lr $LR");
    expect(task.environment).not.toHaveProperty("RANK");
  });
});

describe("a PyTorch job", () => {
  it("starts every rank on its node with its place in the group", () => {
    const scenario = { toolkit: pyTorch(5), nodes: 2, gpusOnEach: 2, spec: code };
    const second = launched(scenario, 1);
    expect(launched(scenario).tasks.map(({ name }) => name)).toEqual(["task-0", "task-1", "task-2"]);
    expect(second.tasks.map(({ label, stdoutName, stderrName }) => [label, stdoutName, stderrName])).toEqual([
      ["rank 3", "stdout-3.txt", "stderr-3.txt"],
      ["rank 4", "stdout-4.txt", "stderr-4.txt"],
    ]);
    expect(second.tasks[1]?.argv).toEqual(["/bin/sh", "-c", "'python3' '/my code/train.py' --lr $LR"]);
    const { environment } = second.tasks[1] as TaskLaunch;
    const own = Object.entries(environment).filter(([name]) => !Object.hasOwn(second.environment, name));
    expect(Object.fromEntries(own)).toEqual({
      RANK: "4",
      WORLD_SIZE: "5",
      LOCAL_RANK: "1",
      LOCAL_WORLD_SIZE: "2",
      GROUP_RANK: "1",
      NODE_RANK: "1",
      PET_NNODES: "2",
      PET_NPROC_PER_NODE: "2",
      PET_NODE_RANK: "1",
      PET_MASTER_ADDR: "10.0.0.4",
      PET_MASTER_PORT: "29500",
      GPUMESH_TASK_INDEX: "4",
      AZ_BATCHAI_TASK_INDEX: "4",
    });
    expect(environment).toMatchObject({
      MASTER_ADDR: "10.0.0.4",
      MASTER_PORT: "29500",
      AZ_BATCHAI_PYTORCH_INIT_METHOD: "tcp://10.0.0.4:29500",
      AZ_BATCHAI_PYTORCH_BACKEND: "nccl",
      CUDA_VISIBLE_DEVICES: "GPU-n2-0,GPU-n2-1",
    });
  });

  it("meets at an IPv6 address in brackets", () => {
    const parts = [{ address: "[fd00::2]:7480", network: network("eth0", "fd00::2", "fd00::/64") }];
    const { environment } = launched({ toolkit: pyTorch(1), parts, spec: code });
    expect(environment).toMatchObject({
      MASTER_ADDR: "fd00::2",
      AZ_BATCHAI_PYTORCH_INIT_METHOD: "tcp://[fd00::2]:29500",
      NCCL_SOCKET_FAMILY: "AF_INET6",
    });
  });

  it("writes one rank's output without a number", () => {
    expect(onlyTask(launched({ toolkit: pyTorch(1), spec: code })).stdoutName).toBe("stdout.txt");
  });

  it("has the ranks 0 to processCount - 1, each once, on whatever nodes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 30 }), (nodes, processCount) => {
        const scenario = { toolkit: pyTorch(processCount, "gloo"), nodes, spec: code };
        const tasks = Array.from({ length: nodes }, (_, part) => launched(scenario, part).tasks).flat();
        expect(tasks.map(({ environment }) => Number(environment["RANK"]))).toEqual(
          Array.from({ length: processCount }, (_, rank) => rank),
        );
        for (const { environment: of } of tasks) {
          expect(Number(of["LOCAL_RANK"])).toBeLessThan(Number(of["LOCAL_WORLD_SIZE"]));
        }
      }),
    );
  });
});

describe("folders and variables", () => {
  const spec = {
    stdOutErrPathPrefix: "$DATA/logs/",
    workingDirectory: "$AZ_BATCHAI_INPUT_CODE",
    inputDirectories: [{ id: "CODE", path: "${DATA}/code" }],
    outputDirectories: [
      { id: "MODEL", pathPrefix: "$DATA", pathSuffix: "models/best" },
      { id: "ALL", pathPrefix: "$AZ_BATCHAI_JOB_MOUNT_ROOT/x", pathSuffix: "" },
    ],
    environment: [
      { name: "DATA", value: "/data" },
      { name: "PYTHONPATH", value: "$AZ_BATCHAI_INPUT_CODE/lib" },
      { name: "PATH", value: "/opt/bin:$PATH" },
      { name: "NCCL_SOCKET_IFNAME", value: "ib0" },
    ],
  };

  it("name each other; outputs and logs of each attempt have folders of their own", () => {
    const { environment, directories, logDirectory, workingDirectory } = launched({ toolkit: custom, spec });
    expect(environment).toMatchObject({
      AZ_BATCHAI_INPUT_CODE: "/data/code",
      GPUMESH_INPUT_CODE: "/data/code",
      AZ_BATCHAI_OUTPUT_MODEL: "/data/vision/resnet/7/3/models/best",
      GPUMESH_OUTPUT_ALL: "/g/n1/7-3/mounts/x/vision/resnet/7/3",
      AZ_BATCHAI_STDOUTERR_DIR: "/data/logs/vision/resnet/7/3/stdouterr",
      PYTHONPATH: "/data/code/lib",
      PATH: "/opt/bin:/usr/bin:/bin",
      NCCL_SOCKET_IFNAME: "ib0",
    });
    expect(logDirectory).toBe("/data/logs/vision/resnet/7/3/stdouterr");
    expect(workingDirectory).toBe("/data/code");
    expect(directories.slice(-3)).toEqual([
      "/data/logs/vision/resnet/7/3/stdouterr",
      "/data/vision/resnet/7/3/models/best",
      "/g/n1/7-3/mounts/x/vision/resnet/7/3",
    ]);
  });

  it("can not speak in gpumesh's name", () => {
    const environment = ["GPUMESH_JOB_ID", "CUDA_VISIBLE_DEVICES"].map((name) => ({ name, value: "9" }));
    expect(launched({ toolkit: custom, gpusOnEach: 1, spec: { environment } }).environment).toMatchObject({
      GPUMESH_JOB_ID: "7",
      CUDA_VISIBLE_DEVICES: "GPU-n1-0",
    });
  });

  it.each([
    [{ workingDirectory: "$NOWHERE" }, "workingDirectory names $NOWHERE, which is not set"],
    [{ inputDirectories: [{ id: "A", path: "$NOWHERE" }] }, "AZ_BATCHAI_INPUT_A names $NOWHERE"],
    [{ stdOutErrPathPrefix: "$REL" }, 'AZ_BATCHAI_STDOUTERR_DIR becomes "here/vision/resnet/7/3/stdouterr"'],
  ])("that lead nowhere are a refusal: %j", (change, reason) => {
    const environment = [{ name: "REL", value: "here" }];
    const result = launchPart(launchInput({ toolkit: custom, spec: { environment, ...change } }));
    expect(result).toMatchObject({ kind: "refused", reason: expect.stringContaining(reason) });
  });

  it("refuses a script whose path names an unknown variable", () => {
    expect(launchPart(launchInput({ toolkit: pyTorch(1) }))).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("pythonScriptFilePath names $CODE"),
    });
  });
});

describe("a shell", () => {
  it("reads interpreter and script as one word each, whatever stands in them", () => {
    const hostile = ["it's", '"; id #', "$(id)", "`id`", "a\nb", "\\", "*", "-c", "${x}", "é\u{1F600}"];
    for (const word of hostile) {
      const spec = { environment: [{ name: "WORD", value: word }] };
      const inert = { interpreter: "printf", path: "[%s]$WORD", arguments: "one 'two words'" };
      const toolkit: Toolkit = { kind: "pyTorch", script: inert, processCount: 1, backend: "gloo" };
      const [shell, ...args] = onlyTask(launched({ toolkit, spec })).argv;
      const probe = String(args.at(-1)).replace("'printf' ", "printf '%s|' ");
      const output = execFileSync(String(shell), [...args.slice(0, -1), probe], { encoding: "utf8" });
      expect(output).toBe(`[%s]${word}|one|two words|`);
    }
  });

  it("gets the user's own line unchanged through mpirun's", () => {
    const commandLine = `printf '%s|' "$0" 'a b' "$(echo "c'd")" \\$x '"' ; printf "%s" "$PWD"`;
    const toolkit: Toolkit = { kind: "customMpi", commandLine, processCount: 1 };
    const { argv } = onlyTask(launched({ toolkit }));
    const rank = argv.slice(argv.indexOf("/bin/sh"));
    const env = { PATH: process.env["PATH"], GPUMESH_WORKING_DIRECTORY: "/usr" };
    const output = execFileSync(String(rank[0]), rank.slice(1), { encoding: "utf8", env });
    expect(output).toBe(`/bin/sh|a b|c'd|$x|"|/usr`);
  });
});

function launched(scenario: Scenario, partIndex = 0): PartLaunch {
  const result = launchPart(launchInput(scenario, partIndex));
  if (result.kind === "refused") throw new Error(result.reason);
  return result;
}

function onlyTask(launch: PartLaunch): TaskLaunch {
  const [task, ...more] = launch.tasks;
  if (task === undefined || more.length > 0) throw new Error(`${launch.tasks.length} tasks`);
  return task;
}
