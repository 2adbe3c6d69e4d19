# What shim.sh and watcher.sh share: clocks, the group of a command, and its exit record.
#
# These functions read variables that the command's launch file sets: cgroup (empty where cgroup v2 is missing),
# token_file, and dir, the command's folder. All instants are hundredths of a second of the boot clock.

# Reads the boot clock into now, which stays as it was where the system has no file handle left to give.
read_clock() {
  read -r uptime _ </proc/uptime && now=${uptime%.*}${uptime#*.}
}

# Reads process $1 (a pid or "self") into stat_pid, stat_session and stat_start. Fails with 1 for a zombie, and with 2
# when nothing can be read.
# The name in the second field may hold spaces, parentheses and newlines, so all is cut up to the last parenthesis.
read_stat() {
  stat_text=
  {
    while read -r stat_line; do stat_text="$stat_text $stat_line"; done <"/proc/$1/stat"
  } 2>/dev/null
  [ -n "$stat_text" ] || return 2
  stat_pid=${stat_text# }
  stat_pid=${stat_pid%% *}
  # shellcheck disable=SC2086 # The fields are split on purpose: state is the first of these, start time the 20th.
  set -- ${stat_text##*) }
  case $1 in Z | X) return 1 ;; esac
  stat_session=$4
  stat_start=${20}
}

# Is the process with pid $1 still the one that started at $2? In doubt it is: a "no" ends a job.
is_alive() {
  [ -e "/proc/$1" ] || return 1
  read_stat "$1"
  case $? in
    0) [ "$stat_start" = "$2" ] ;;
    1) return 1 ;;
    *) return 0 ;;
  esac
}

# Prints the processes of the command's group: its cgroup, else its session, which the command leads.
group_pids() {
  if [ -n "$cgroup" ]; then
    while read -r member; do
      # A process outside this pid namespace reads as 0, which kill would take for our own group.
      [ "$member" -le 0 ] || echo "$member"
    done <"$cgroup/cgroup.procs"
  elif read -r _ _ _ leader _ <"$dir/started"; then
    for process in /proc/[0-9]*; do
      if read_stat "${process#/proc/}" && [ "$stat_session" = "$leader" ]; then echo "$stat_pid"; fi
    done
  fi
}

# Sends the signals named to each process of the group.
signal_group() {
  for member in $(group_pids); do
    for signal in "$@"; do kill -s "$signal" "$member"; done
  done
}

# Kills the group; by cgroup.kill where the kernel has it (5.14), which no fork escapes.
kill_group() {
  { [ -n "$cgroup" ] && echo 1 >"$cgroup/cgroup.kill"; } || signal_group KILL
}

# Kills every process of the part, whatever group it moved itself to. An environment entry must match as a whole.
kill_token_carriers() {
  for environ in $(grep -lszxFf "$token_file" /proc/[0-9]*/environ); do
    carrier=${environ#/proc/}
    kill -s KILL "${carrier%/environ}"
  done
}

has_token_carriers() {
  grep -qszxFf "$token_file" /proc/[0-9]*/environ
}

group_is_empty() {
  if [ -n "$cgroup" ]; then
    [ -d "$cgroup" ] || return 0
    while read -r key value; do
      if [ "$key" = populated ]; then
        [ "$value" = 0 ]
        return
      fi
    done <"$cgroup/cgroup.events"
    return 1
  fi
  [ -z "$(group_pids)" ]
}

# Kills the group until it is empty. Gives up after about 2 s, which only processes stuck in the kernel outlast.
clear_group() {
  tries=0
  until group_is_empty; do
    [ "$tries" -lt 200 ] || return 1
    tries=$((tries + 1))
    kill_group
    sleep 0.01
  done
}

# record_exit CODE ENDED_BY STARTED ENDED REASON: the one exit record. A link, unlike a rename, never replaces: of all
# who may come to record an exit, the first wins.
record_exit() {
  printf '%s\n' "$*" >"$dir/exit.$$"
  sync "$dir/exit.$$"
  ln "$dir/exit.$$" "$dir/exit"
  rm -f "$dir/exit.$$"
}
