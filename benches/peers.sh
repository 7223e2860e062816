#!/bin/sh
# Parlor beside llama.cpp's own tools: the same file, threads and sizes, in turns
# in one run, so that what else the machine does falls on both.
#
# usage: benches/peers.sh DIR MODEL.gguf [ROUNDS]
#   DIR holds llama-bench and llama-completion, built natively from llama.cpp.
set -eu
dir=${1:?the folder of the built llama.cpp tools}
model=${2:-${MODEL:?name a model: a second argument, or MODEL}}
rounds=${3:-5}
parlor=$(dirname "$0")/../target/release/parlor
threads=$("$parlor" bench --model "$model" -p 8 -n 1 -r 1 --json | sed 's/.*"threads":\([0-9]*\).*/\1/')
echo "threads $threads, $rounds rounds each, in turns"

middle() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

ours_read=; ours_write=; theirs_read=; theirs_write=
i=0
while [ "$i" -lt "$rounds" ]; do
    json=$("$parlor" bench --model "$model" -p 512 -n 128 -r 1 --threads "$threads" --json)
    ours_read="$ours_read $(echo "$json" | sed 's/.*"prefill_tps":{"median":\([0-9.]*\).*/\1/')"
    ours_write="$ours_write $(echo "$json" | sed 's/.*"generate_tps":{"median":\([0-9.]*\).*/\1/')"
    speeds=$("$dir/llama-bench" -m "$model" -p 512 -n 128 -r 1 -t "$threads" -o jsonl 2>/dev/null |
        sed 's/.*"avg_ts": *\([0-9.]*\).*/\1/')
    # shellcheck disable=SC2086
    set -- $speeds
    theirs_read="$theirs_read $1"; theirs_write="$theirs_write $2"
    i=$((i + 1))
done
for what in read write; do
    eval "ours=\$ours_$what theirs=\$theirs_$what"
    o=$(echo "$ours" | tr ' ' '\n' | grep . | middle)
    t=$(echo "$theirs" | tr ' ' '\n' | grep . | middle)
    awk -v w="$what" -v o="$o" -v t="$t" 'BEGIN {printf "%-6s parlor %8.2f  llama-bench %8.2f  ratio %.3f\n", w, o, t, o/t}'
done

# Cold, one answer of 32 tokens: process start to exit.
now() { date +%s%N; }
prompt="Write one sentence about the sea."
ours=; theirs=; i=0
while [ "$i" -lt "$rounds" ]; do
    a=$(now); "$parlor" ask --model "$model" --temp 0 --max-tokens 32 "$prompt" >/dev/null </dev/null
    b=$(now); "$dir/llama-completion" -m "$model" -t "$threads" --temp 0 -n 32 -no-cnv --no-display-prompt -p "$("$parlor" render --model "$model" --messages - <<JSON
[{"role":"user","content":"$prompt"}]
JSON
)" >/dev/null 2>&1 </dev/null
    c=$(now)
    ours="$ours $(((b - a) / 1000000))"; theirs="$theirs $(((c - b) / 1000000))"
    i=$((i + 1))
done
o=$(echo "$ours" | tr ' ' '\n' | grep . | middle); t=$(echo "$theirs" | tr ' ' '\n' | grep . | middle)
awk -v o="$o" -v t="$t" 'BEGIN {printf "cold   parlor %5d ms  llama-completion %5d ms  ratio %.3f\n", o, t, o/t}'
