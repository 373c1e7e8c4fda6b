#!/bin/sh
# On a machine with a GPU: the ranker of syntax repairs at the reference size, trained, measured and packed.
#
#   sh scripts/repair_ranking_gpu.sh OUT REPAIRS EVALUATION [KEY=VALUE ...]
#
# REPAIRS and EVALUATION are JSONL rows of broken and fixed tokens (.gz): to learn from and to measure on. Snippets to
# pre-train on come from the Python environment, or from what data.snippets.documents='[FOLDER]' names. KEY=VALUE change
# fields of the recipe (train.max_steps=20 train.epochs=null for a try). Nothing is downloaded where codefit, torch and
# numba are installed already. Run it again to go on. Weights are packed in parts of 16 MiB; run.json names the device.
set -eu
[ $# -ge 3 ] || { sed -n '2,10p' "$0" >&2; exit 2; }
out=$1 repairs=$2 evaluation=$3
shift 3
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/.." && pwd)
if ! PYTHONPATH=$root/src "$python" -c 'import torch, safetensors, onnx, onnxruntime, numba, codefit.cli.main' 2>/dev/null; then
    # Not with constraints.txt: its torch is the build for CPUs.
    "$python" -m venv "$root/.venv-gpu"
    python=$root/.venv-gpu/bin/python
    "$python" -m pip install --quiet torch
    "$python" -m pip install --quiet -e "$root[train,repair]"
fi
mkdir -p "$out"
codefit() { PYTHONPATH=$root/src "$python" -m codefit "$@"; }
codefit doctor > "$out/doctor.txt" || true
codefit run repair-ranking "data.repairs=[$repairs]" "data.evaluation=[$evaluation]" "data.counts=[]" \
    --out "$out/repair-ranking" "$@"
cd "$out"
rm -f repair-ranking.tar.gz.*
files=$(cd repair-ranking && ls -d run.json metrics.jsonl evaluation.json export.json variants.json proposer.json \
    report.html data/manifest.json lists/report.json pretrained/metrics.jsonl pretrained/encoder ranker model 2>/dev/null || true)
# shellcheck disable=SC2086
tar -C repair-ranking -czf - $files | split -b 16m - repair-ranking.tar.gz.
cp repair-ranking/run.json repair-ranking.run.json
cp repair-ranking/evaluation.json repair-ranking.evaluation.json
# To put the parts together: cat repair-ranking.tar.gz.* | tar -xzf -
sha256sum ./*.tar.gz.* > SHA256SUMS
ls -l
