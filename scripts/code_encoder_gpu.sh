#!/bin/sh
# Train the reference code encoder on a machine with a GPU, and pack what came of it in parts of 16 MiB.
#
#   sh scripts/code_encoder_gpu.sh OUT PAIRS [KEY=VALUE ...]
#
# PAIRS is one JSONL(.gz) of pairs with the evaluation and validation sources in it: what a run of code-encoder-cpu has
# under data/, joined, is one (gzip files may be concatenated):
#
#   cat runs/code-encoder-cpu/data/*_pairs.jsonl.gz > pairs.jsonl.gz
#
# Nothing is downloaded where codefit, torch and sentence-transformers are installed already. Run it again to go on.
set -eu
[ $# -ge 2 ] || { sed -n '2,12p' "$0" >&2; exit 2; }
out=$1 pairs=$2
shift 2
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/.." && pwd)
if ! PYTHONPATH=$root/src "$python" -c 'import torch, sentence_transformers, codefit.cli.main, onnx, onnxscript' 2>/dev/null; then
    # Not with constraints.txt: its torch is the build for CPUs.
    "$python" -m venv "$root/.venv-gpu"
    python=$root/.venv-gpu/bin/python
    "$python" -m pip install --quiet torch
    "$python" -m pip install --quiet -e "$root[train]"
fi
mkdir -p "$out"
PYTHONPATH=$root/src "$python" -m codefit run code-encoder "data.documents=[]" "data.pairs=[$pairs]" --out "$out/run" "$@"
cd "$out"
rm -f code-encoder.tar.gz.*
tar -C run -czf - run.json metrics.jsonl evaluation.json answers.json report.html data/manifest.json tokenizer model export \
    | split -b 16m - code-encoder.tar.gz.
# To put the parts together: cat code-encoder.tar.gz.* | tar -xzf -
cp run/run.json run/evaluation.json .
sha256sum code-encoder.tar.gz.* > SHA256SUMS
ls -l
