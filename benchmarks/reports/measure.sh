#!/usr/bin/env bash
# Measures what the committed report shows and writes it: `make report`, or this with tldr-bench and tldr-export on the PATH.
# QUIET: a command to run each measurement under. BENCH, EXPORT: these two elsewhere. CACHE: where presets are exported to, about 7 GB. PEERS: none with "".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${CACHE:-$HOME/.cache/tldr-edge}
work=$cache/report
threads=${THREADS:-2}
bench=${BENCH:-tldr-bench}
export=${EXPORT:-tldr-export}
mkdir -p "$work"
run() { ${QUIET:-} $bench --threads "$threads" --cache "$cache" "$@"; }

voices=""
[ -n "${PEERS-yes}" ] && voices="--peer piper --peer hibari --peer pocket-tts"

# The full size, in graphs for CPUs: 12 s, the paper's other lengths with its Figure 3, 30 s for the curve; peers at token level.
preset="--preset cosyvoice3-0.5b --cpu --patch 4 8 --against token-level"
run $preset --seconds 12 --repeats 5 --json "$work/preset.json"
run $preset --seconds 4 8 16 20 --repeats 1 --no-roofline --batch 64 --json "$work/lengths.json"
run $preset --seconds 30 --repeats 1 --no-roofline --json "$work/longest.json"
if [ -n "${PEERS-yes}" ]; then
    run --preset cosyvoice3-0.5b --cpu --against token-level --seconds 1 --repeats 9 --no-roofline \
        --peer transformers --peer llama.cpp:f32 --peer onnxruntime-genai:fp32 --json "$work/peers.json"
    for weights in int8 int4; do
        full=$work/full-$weights
        rm -rf "$full"
        $export --preset cosyvoice3-0.5b --token-level --$weights --no-verify --out "$full" >/dev/null
        peers="--peer llama.cpp:q8_0"
        [ $weights = int4 ] && peers="--peer llama.cpp:q4_0 --peer onnxruntime-genai:int4"
        run --bundle "$full" --seconds 1 --repeats 9 --no-roofline $peers --json "$work/peers-$weights.json"
    done
fi
# The embedded voice as it ships and with INT8 weights, and small voices of others on the same sentences.
int8=$work/embedded-int8
rm -rf "$int8"
$export --patch 4 --int8 --out "$int8" >/dev/null
run --bundle "$here/../../runtime/bundles/embedded" --bundle "$int8" --against token-level --seconds 4 12 30 --repeats 9 \
    --batch 1 8 64 --sentences 20 $voices --json "$work/embedded.json"

found=""
for name in preset lengths longest peers peers-int8 peers-int4 embedded; do
    [ -f "$work/$name.json" ] && found="$found $work/$name.json"
done
$bench report $found --html "$here/report.html" --small --json "$here/report.json"
