#!/bin/sh
# On a machine with a GPU: a base model of about 100M parameters and its adaptation to a repository, measured and packed.
#
#   sh scripts/language_model_gpu.sh OUT DOCUMENTS GENERAL [KEY=VALUE ...]
#
# DOCUMENTS is the repository's files (JSONL of Documents, .gz), GENERAL the general code: what runs of the small recipes
# have under data/ (gzip files may be concatenated):
#
#   cat runs/base-lm-cpu/data/*_documents.jsonl.gz > general.jsonl.gz
#
# KEY=VALUE change fields of both recipes (evaluate.max_documents=4 for a try), the environment's BASE_FIELDS and
# ADAPTED_FIELDS those of one alone (BASE_FIELDS="model.layers=2"). Nothing is downloaded where codefit, torch,
# transformers and peft are installed already. Run it again to go on. Weights are packed in parts of 16 MiB; run.json
# names the device.
set -eu
[ $# -ge 3 ] || { sed -n '2,15p' "$0" >&2; exit 2; }
out=$1 documents=$2 general=$3
shift 3
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/.." && pwd)
if ! PYTHONPATH=$root/src "$python" -c 'import torch, transformers, peft, codefit.cli.main, tree_sitter, rensa' 2>/dev/null; then
    # Not with constraints.txt: its torch is the build for CPUs.
    "$python" -m venv "$root/.venv-gpu"
    python=$root/.venv-gpu/bin/python
    "$python" -m pip install --quiet torch
    "$python" -m pip install --quiet -e "$root[train,quantize]"
fi
mkdir -p "$out"
codefit() { PYTHONPATH=$root/src "$python" -m codefit "$@"; }
codefit doctor > "$out/doctor.txt" || true
# shellcheck disable=SC2086
codefit run base-lm "data.documents=[$general]" "data.pairs=[]" --out "$out/base-lm" "$@" ${BASE_FIELDS:-}
# The curriculum and the adapter of the real recipe, on the base that was made here. The general code holds the sources
# that forgetting is measured on as well as those to replay: the recipe keeps them apart by name.
# shellcheck disable=SC2086
codefit run extended-pretraining "model.base=$out/base-lm/model" model.revision=null "data.documents=[$documents]" \
    "data.general.documents=[$general]" "data.general.pairs=[]" "data.replay.documents=[$general]" "data.replay.pairs=[]" \
    --out "$out/extended-pretraining" "$@" ${ADAPTED_FIELDS:-}
cd "$out"
for run in base-lm extended-pretraining; do
    rm -f "$run".tar.gz.*
    files=$(cd "$run" && ls -d run.json metrics.jsonl evaluation.json shipped.json samples.json report.html data/manifest.json \
        tokenizer adapter model 2>/dev/null || true)
    # shellcheck disable=SC2086
    tar -C "$run" -czf - $files | split -b 16m - "$run.tar.gz."
    cp "$run/run.json" "$run.run.json"
    cp "$run/evaluation.json" "$run.evaluation.json"
done
# To put the parts together: cat base-lm.tar.gz.* | tar -xzf -
sha256sum ./*.tar.gz.* > SHA256SUMS
ls -l
