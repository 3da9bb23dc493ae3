# Reads a description of GPUs (see nvidia-smi) and prints one answer. Runs under mawk, gawk and busybox awk.

function trim(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }

BEGIN { section = "driver"; count = processes = 0; driver["driver_version"] = "550.54.15"; driver["cuda_version"] = "12.4" }
/^[ \t]*(#|$)/ { next }
/^\[gpu\]/ { section = "gpu"; at = count++; next }
/^\[process\]/ { section = "process"; at = processes++; next }
/^\[topology\]/ { section = "topology"; next }
{
  split_at = index($0, "=")
  key = trim(substr($0, 1, split_at - 1)); value = trim(substr($0, split_at + 1))
  if (section == "driver") driver[key] = value
  else if (section == "topology") link[key] = value
  else if (section == "process") process[at, key] = value
  else if (key == "mig_device") mig[at, mig_count[at]++] = value
  else { gpu[at, key] = value; given[key] = 1 }
}

END {
  complete()
  choose()
  if (mode == "gpu") exit query_gpus()
  if (mode == "apps") exit query_apps()
  if (mode == "version") { print "NVIDIA-SMI version  : " driver["driver_version"]; print "DRIVER version      : " driver["driver_version"]; print "CUDA Version        : " driver["cuda_version"]; exit 0 }
  if (shown == 0) { print "No devices were found"; exit 6 }
  if (mode == "list") list_gpus()
  else if (mode == "topo") topology()
  else table()
}

function put(i, key, value) { if (!((i, key) in gpu)) gpu[i, key] = value; given[key] = 1 }

# The values a quiet, healthy GPU would have, where the description says nothing.
function complete(  i, j, pci) {
  for (j = 0; j < processes; j++) {
    if (process[j, "while_running"] == "yes" && !index(running, " " process[j, "pid"] " ")) process[j, "gone"] = 1
    for (i = 0; i < count; i++) if (process[j, "gpu"] == i "" || process[j, "gpu"] == gpu[i, "uuid"]) process[j, "at"] = i ""
    if (process[j, "at"] == "") process[j, "gone"] = 1
    if (!process[j, "gone"]) used[process[j, "at"]] += process[j, "used_memory"]
  }
  for (i = 0; i < count; i++) {
    pci = sprintf("00000000:%02X:00.0", 16 + i)
    put(i, "uuid", sprintf("GPU-00000000-0000-0000-0000-%012d", i)); put(i, "name", "NVIDIA Testbed GPU")
    put(i, "pci.bus_id", pci); put(i, "serial", "[N/A]"); put(i, "memory.total", 24576)
    put(i, "memory.used", used[i] + 0); put(i, "memory.free", gpu[i, "memory.total"] - gpu[i, "memory.used"]); put(i, "memory.reserved", 0)
    put(i, "utilization.gpu", used[i] > 0 ? 50 : 0); put(i, "utilization.memory", 0)
    put(i, "temperature.gpu", 34); put(i, "temperature.memory", "[N/A]"); put(i, "fan.speed", "[N/A]")
    put(i, "power.draw", "52.10"); put(i, "power.limit", "300.00"); put(i, "power.max_limit", gpu[i, "power.limit"])
    put(i, "clocks.sm", 210); put(i, "clocks.mem", 1215); put(i, "clocks.gr", 210); put(i, "clocks.max.sm", 1410); put(i, "clocks.max.mem", 1215)
    put(i, "mig.mode.current", mig_count[i] ? "Enabled" : "[N/A]"); put(i, "pstate", "P0"); put(i, "compute_mode", "Default")
    put(i, "persistence_mode", "Enabled"); put(i, "compute_cap", "8.0"); put(i, "display_active", "Disabled")
    put(i, "ecc.mode.current", "Enabled"); put(i, "ecc.errors.uncorrected.volatile.total", 0); put(i, "ecc.errors.corrected.volatile.total", 0)
    gpu[i, "driver_version"] = driver["driver_version"]; gpu[i, "timestamp"] = now; gpu[i, "real"] = i
    alias(i, "gpu_name", "name"); alias(i, "gpu_uuid", "uuid"); alias(i, "gpu_bus_id", "pci.bus_id"); alias(i, "gpu_serial", "serial")
    alias(i, "clocks.current.sm", "clocks.sm"); alias(i, "clocks.current.memory", "clocks.mem"); alias(i, "clocks.current.graphics", "clocks.gr")
    alias(i, "enforced.power.limit", "power.limit"); alias(i, "power.draw.instant", "power.draw"); alias(i, "power.draw.average", "power.draw")
  }
  given["driver_version"] = given["timestamp"] = given["index"] = given["count"] = 1
}

function alias(i, to, from) { put(i, to, gpu[i, from]) }

function named(i, names,  n, parts, k) {
  n = split(names, parts, ",")
  for (k = 1; k <= n; k++) if (parts[k] == i "" || parts[k] == gpu[i, "uuid"] || parts[k] == gpu[i, "pci.bus_id"]) return 1
  return 0
}

# What the container may see is numbered anew from 0; -i then picks among these.
function choose(  i, seen) {
  seen = shown = 0
  for (i = 0; i < count; i++) {
    if (visible != "all" && !named(i, visible)) continue
    gpu[i, "index"] = seen++
    if (ids == "" || named(gpu[i, "index"], ids) || named(i, ids) && ids ~ /[:-]/) show[shown++] = i
  }
  for (i = 0; i < count; i++) gpu[i, "count"] = seen
}

# Families of fields that exist even where a GPU has no value for them.
function is_field(name) {
  if (name in given) return 1
  return name ~ /^(clocks|clocks_throttle_reasons|clocks_event_reasons|ecc|retired_pages|remapped_rows|pci|pcie|power|module|memory|utilization|temperature|mig|encoder|inforom|gom|fan|accounting|vbios_version|display_mode|gpu_part_number|board_id)([._]|$)/
}

function unit(name) {
  if (name ~ /^(memory\.|used_)/) return "MiB"
  if (name ~ /^(utilization\.|fan\.)/) return "%"
  if (name ~ /power\./ && name !~ /management/) return "W"
  if (name ~ /^clocks\./) return "MHz"
  return ""
}

function with_unit(name, value) {
  if (format ~ /,nounits,/ || value !~ /^[0-9.]+$/ || unit(name) == "") return value
  return value " " unit(name)
}

function header(names, n,  k, line) {
  if (format ~ /,noheader,/) return
  for (k = 1; k <= n; k++) line = line (k > 1 ? ", " : "") names[k] (unit(names[k]) == "" ? "" : " [" unit(names[k]) "]")
  print line
}

function split_fields(names,  n, k) {
  n = split(fields, names, ",")
  for (k = 1; k <= n; k++) names[k] = trim(names[k])
  return n
}

function query_gpus(  n, names, k, j, line, i) {
  n = split_fields(names)
  for (k = 1; k <= n; k++) if (!is_field(names[k])) { print "Field \"" names[k] "\" is not a valid field to query.\n"; return 2 }
  if (shown == 0) { print "No devices were found"; return 6 }
  header(names, n)
  for (j = 0; j < shown; j++) {
    line = ""; i = show[j]
    for (k = 1; k <= n; k++) line = line (k > 1 ? ", " : "") ((i, names[k]) in gpu ? with_unit(names[k], gpu[i, names[k]]) : "[N/A]")
    print line
  }
  return 0
}

function query_apps(  n, names, k, j, line, i, shows, value) {
  n = split_fields(names)
  for (k = 1; k <= n; k++)
    if (names[k] !~ /^(timestamp|gpu_name|gpu_bus_id|gpu_serial|gpu_uuid|pid|process_name|name|used_gpu_memory|used_memory)$/) {
      print "Field \"" names[k] "\" is not a valid field to query.\n"; return 2
    }
  if (shown == 0) { print "No devices were found"; return 6 }
  for (j = 0; j < shown; j++) shows[show[j]] = 1
  header(names, n)
  for (j = 0; j < processes && !contained; j++) {
    i = process[j, "at"]; line = ""
    if (process[j, "gone"] || !(i in shows)) continue
    for (k = 1; k <= n; k++) {
      if (names[k] == "pid") value = process[j, "pid"]
      else if (names[k] == "process_name" || names[k] == "name") value = process[j, "name"]
      else if (names[k] ~ /^used/) value = process[j, "used_memory"]
      else value = gpu[i, names[k]]
      line = line (k > 1 ? ", " : "") with_unit(names[k], value == "" ? "[N/A]" : value)
    }
    print line
  }
  return 0
}

function list_gpus(  j, i, k, parts) {
  for (j = 0; j < shown; j++) {
    i = show[j]
    printf "GPU %d: %s (UUID: %s)\n", gpu[i, "index"], gpu[i, "name"], gpu[i, "uuid"]
    for (k = 0; k < mig_count[i]; k++) { split(mig[i, k], parts, " "); printf "  MIG %-12s Device %2d: (UUID: %s)\n", parts[1], k, parts[2] }
  }
}

function topology(  j, k, line, a, b) {
  line = ""
  for (j = 0; j < shown; j++) line = line "\tGPU" gpu[show[j], "index"]
  print line "\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID"
  for (j = 0; j < shown; j++) {
    a = show[j]; line = "GPU" gpu[a, "index"]
    for (k = 0; k < shown; k++) {
      b = show[k]
      if (a == b) line = line "\t X "
      else line = line "\t" ((a "-" b) in link ? link[a "-" b] : (b "-" a) in link ? link[b "-" a] : "SYS")
    }
    print line "\t" ((a, "cpu.affinity") in gpu ? gpu[a, "cpu.affinity"] : "N/A") "\t" ((a, "numa.affinity") in gpu ? gpu[a, "numa.affinity"] : "N/A") "\t\tN/A"
  }
  print "\nLegend:\n\n  X    = Self\n  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., QPI/UPI)"
  print "  NODE = Connection traversing PCIe as well as the interconnect between PCIe Host Bridges within a NUMA node"
  print "  PHB  = Connection traversing PCIe as well as a PCIe Host Bridge (typically the CPU)"
  print "  PXB  = Connection traversing multiple PCIe bridges (without traversing the PCIe Host Bridge)"
  print "  PIX  = Connection traversing at most a single PCIe bridge\n  NV#  = Connection traversing a bonded set of # NVLinks"
}

function table(  j, i) {
  print now
  printf "NVIDIA-SMI %s   Driver Version: %s   CUDA Version: %s\n", driver["driver_version"], driver["driver_version"], driver["cuda_version"]
  for (j = 0; j < shown; j++) {
    i = show[j]
    printf "| %3d  %-28s %s | %6sMiB / %6sMiB | %3s%% | %sC |\n", gpu[i, "index"], gpu[i, "name"], gpu[i, "pci.bus_id"], gpu[i, "memory.used"], gpu[i, "memory.total"], gpu[i, "utilization.gpu"], gpu[i, "temperature.gpu"]
  }
}
