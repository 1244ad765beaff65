#!/usr/bin/env bash
# Measures what the committed report shows and writes it: `make report`, or this with tldr-bench on the PATH.
# QUIET: a command to run each measurement under. CACHE: where presets are exported to, about 7 GB. PEERS: none with "".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${CACHE:-$HOME/.cache/tldr-edge}
work=$cache/report
threads=${THREADS:-2}
bench=${BENCH:-tldr-bench}
mkdir -p "$work"
run() { ${QUIET:-} $bench --threads "$threads" --cache "$cache" "$@"; }

steps="" voices=""
if [ -n "${PEERS-yes}" ]; then
    for peer in transformers llama.cpp:f32 llama.cpp:f16 llama.cpp:q8_0 llama.cpp:q4_0 onnxruntime-genai:fp32 onnxruntime-genai:int4; do
        steps="$steps --peer $peer"
    done
    voices="--peer piper --peer pocket-tts"
fi

# The full size: the paper's Table 1 columns at 12 s; every length and the 30 s curve; its Figure 3; peers at token level.
run --preset cosyvoice3-0.5b --patch 4 8 --against token-level --seconds 4 12 --repeats 5 --json "$work/preset.json"
run --preset cosyvoice3-0.5b --patch 4 8 --against token-level --seconds 4 8 12 16 20 30 --repeats 1 --no-roofline \
    --json "$work/lengths.json"
run --preset cosyvoice3-0.5b --patch 4 6 8 --against token-level --seconds 4 8 12 16 20 --repeats 1 --batch 64 --only-batches \
    --json "$work/batches.json"
run --preset cosyvoice3-0.5b --patch 4 --against token-level --seconds 1 --repeats 3 --no-roofline $steps --json "$work/peers.json"
# The embedded voice, and small voices of others on the same sentences.
run --against token-level --seconds 4 12 30 --repeats 9 --batch 1 8 64 --sentences 20 $voices --json "$work/embedded.json"

$bench report "$work"/{preset,lengths,batches,peers,embedded}.json --html "$here/report.html" --markdown "$here/report.md"
for name in preset lengths batches peers embedded; do cp "$work/$name.json" "$here/$name.json"; done
