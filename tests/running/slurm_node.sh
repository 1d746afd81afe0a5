#!/usr/bin/env bash
# A Slurm cluster of this machine alone, for the tests: slurm_node.sh up FOLDER | down FOLDER
# Needs root, and Debian's slurm-wlm and munge. `up` prints what SLURM_CONF is to be.
set -euo pipefail

folder=$(realpath -m "$2")
node=$(hostname -s)
key=$folder/munge

stop() {
    local file
    for file in "$folder"/slurmd.pid "$folder"/slurmctld.pid "$key"/munged.pid; do
        if [ -s "$file" ]; then
            kill "$(cat "$file")" 2>/dev/null || true
        fi
    done
}

start() {
    mkdir -p "$folder"/{state,spool} "$key"
    chmod 755 "$folder" "$key"
    head -c 1024 /dev/urandom > "$key/key"
    chmod 600 "$key/key"
    munged --force --key-file="$key/key" --socket="$key/socket" \
        --pid-file="$key/munged.pid" --log-file="$key/log" --seed-file="$key/seed"
    local memory
    memory=$(awk '/^MemTotal/ {print int($2 / 1024 * 0.8)}' /proc/meminfo)
    cat > "$folder/slurm.conf" <<CONF
ClusterName=genbench
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=${SLURM_NODE_PORT:-26817}
SlurmdPort=$((${SLURM_NODE_PORT:-26817} + 1))
AuthInfo=socket=$key/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmUser=root
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
KillWait=5
ReturnToService=2
MpiDefault=none
SchedulerParameters=sched_interval=2,batch_sched_delay=0
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$folder/slurm.conf
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF" -N "$node"
    for _ in $(seq 60); do
        if sinfo --noheader --format=%T 2>/dev/null | grep -q idle; then
            echo "$SLURM_CONF"
            return
        fi
        sleep 0.5
    done
    stop
    echo "the node did not come up; see $folder/*.log" >&2
    exit 1
}

case $1 in
    up) start ;;
    down) stop ;;
    *) echo "usage: $0 up|down FOLDER" >&2; exit 2 ;;
esac
