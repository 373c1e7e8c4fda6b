#!/bin/sh
# On a machine with a GPU: scorers of functions at the reference size, QLoRA of the language model among them, trained,
# measured and packed.
#
#   sh scripts/complexity_scoring_gpu.sh OUT FUNCTIONS EVALUATION [KEY=VALUE ...]
#
# FUNCTIONS and EVALUATION are JSONL rows with code (.gz) of different repositories: to learn from and to measure on.
# KEY=VALUE change fields of the recipe: language_model.base=FOLDER where no hub is reached, language_model=null without
# one, train.max_steps=20 for a try. Nothing is downloaded but the base where codefit, torch and bitsandbytes are installed
# already. Run it again to go on. Weights are packed in parts of 16 MiB; run.json names the device.
set -eu
[ $# -ge 3 ] || { sed -n '2,12p' "$0" >&2; exit 2; }
out=$1 functions=$2 evaluation=$3
shift 3
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/.." && pwd)
needed='import torch, peft, bitsandbytes, llguidance, lightgbm, onnx, onnxruntime, codefit.cli.main'
if ! PYTHONPATH=$root/src "$python" -c "$needed" 2>/dev/null; then
    # Not with constraints.txt: its torch is the build for CPUs.
    "$python" -m venv "$root/.venv-gpu"
    python=$root/.venv-gpu/bin/python
    "$python" -m pip install --quiet torch
    "$python" -m pip install --quiet -e "$root[train,quantize,complexity]"
fi
mkdir -p "$out"
codefit() { PYTHONPATH=$root/src "$python" -m codefit "$@"; }
codefit doctor > "$out/doctor.txt" || true
codefit run complexity-scoring "data.functions=[$functions]" "data.evaluation=[$evaluation]" "data.human=[]" \
    --out "$out/complexity-scoring" "$@"
cd "$out"
rm -f complexity-scoring.tar.gz.*
files=$(cd complexity-scoring && ls -d run.json metrics.jsonl evaluation.json export.json baselines.json scores.jsonl.gz \
    report.html data/manifest.json language_model/metrics.jsonl encoder model 2>/dev/null || true)
# shellcheck disable=SC2086
tar -C complexity-scoring -czf - $files | split -b 16m - complexity-scoring.tar.gz.
cp complexity-scoring/run.json complexity-scoring.run.json
cp complexity-scoring/evaluation.json complexity-scoring.evaluation.json
# To put the parts together: cat complexity-scoring.tar.gz.* | tar -xzf -
sha256sum ./*.tar.gz.* > SHA256SUMS
ls -l
