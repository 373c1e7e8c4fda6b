"""Small datasets in the layout, the columns and the file formats that their repositories on the hub have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CODEXGLUE = "google/code_x_glue_ct_code_to_text"
LEETCODE = "newfacade/LeetCodeDataset"
MBPP = "google-research-datasets/mbpp"
HUMANEVAL = "openai/openai_humaneval"
SOLUTIONS = "code-rag-bench/programming-solutions"
TUTORIALS = "code-rag-bench/online-tutorials"
POSTS = "code-rag-bench/stackoverflow-posts"

# A function named NAME about TOPIC in the dataset's manner: only the Python one holds its doc.
FUNCTIONS = {
    "python": '''def NAME(self, values):
        """Return the TOPIC of the given values.

        :param values: numbers
        """
        total = len(values)
        for value in values:
            total += value * NUMBER
        return total''',
    "javascript": """function NAME(values) {
  let total = NUMBER;
  for (const value of values) total += value;
  return total;
}""",
    "go": """func NAME(values []int) int {
\ttotal := NUMBER
\tfor _, value := range values {
\t\ttotal += value
\t}
\treturn total
}""",
    "java": """public int NAME(int[] values) {
    int total = NUMBER;
    for (int value : values) total += value;
    return total;
}""",
    "ruby": """def NAME(values)
  total = NUMBER
  values.each { |value| total += value }
  total
end""",
    "php": """public function NAME($values) {
    $total = NUMBER;
    foreach ($values as $value) $total += $value;
    return $total;
}""",
}
WORDS = ("mean", "median", "variance", "spread", "weighted sum", "product", "largest gap", "smallest step", "drift")


def lay_out(root: Path, *, rows: int = 12, leave_out: tuple[str, ...] = ()) -> Path:
    """Write every dataset that `codefit data pull` knows under `root/owner/name`; `rows` is of each large split."""
    writers = {
        CODEXGLUE: _codexglue,
        LEETCODE: _leetcode,
        MBPP: _mbpp,
        HUMANEVAL: _humaneval,
        SOLUTIONS: _solutions,
        TUTORIALS: _tutorials,
        POSTS: _posts,
    }
    for name, write in writers.items():
        if name not in leave_out:
            (root / name).mkdir(parents=True)
            write(root / name, rows)
    return root


def codexglue_row(language: str, split: str, number: int) -> dict[str, Any]:
    """A row of the dataset; functions of different splits and numbers share neither name nor numbers."""
    name = f"{WORDS[number % len(WORDS)].replace(' ', '_')}_{split}_{number}"
    topic = f"{WORDS[number % len(WORDS)]} number {number} for {split} in {language}"
    code = FUNCTIONS[language].replace("NAME", name).replace("TOPIC", topic).replace("NUMBER", str(hash_of(name)))
    doc = f"Return the {topic} of the given values.\n\n:param values: numbers"
    return {
        "id": number,
        "repo": f"owner/{split}-{number % 3}",
        "path": f"src/{name}.{language}",
        "func_name": name,
        "original_string": code,
        "language": language,
        "code": code,
        "code_tokens": code.split(),
        "docstring": doc,
        "docstring_tokens": doc.split(),
        "sha": "0" * 40,
        "url": "https://github.com/owner/name",
    }


def hash_of(text: str) -> int:
    """A number that follows from the text alone."""
    return sum(ord(letter) * (place + 7) for place, letter in enumerate(text))


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as one parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def write_card(folder: Path, license_name: str, configs: dict[str, dict[str, str]]) -> None:
    """Write the card whose header says which files each split of each configuration has."""
    lines = ["---", f"license: {license_name}", "configs:"]
    for config, splits in configs.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split, files in splits.items():
            lines += [f"  - split: {split}", f"    path: {files}"]
    (folder / "README.md").write_text("\n".join([*lines, "---", "# A dataset", ""]))


def _codexglue(folder: Path, rows: int) -> None:
    splits = {"train": rows, "validation": rows // 2, "test": 2}
    for language in FUNCTIONS:
        for split, count in splits.items():
            write_parquet(
                folder / language / f"{split}-00000-of-00001.parquet",
                [codexglue_row(language, split, number) for number in range(count)],
            )
    configs = {language: {split: f"{language}/{split}-*" for split in splits} for language in FUNCTIONS}
    write_card(folder, "c-uda", configs)


def _leetcode(folder: Path, rows: int) -> None:
    for split, count in {"train": rows, "test": 3}.items():
        lines = []
        for number in range(count):
            task = f"{split}-task-{number}"
            statement = f"You are given an array nums.\u00a0Return its {WORDS[number % 9]} {split} {number} times."
            lines.append(
                {
                    "task_id": task,
                    "question_id": number,
                    "difficulty": "Easy",
                    "tags": ["Array"],
                    "problem_description": f"{statement}\n \nExample 1:\n\nInput: nums = [1]\nOutput: 2",
                    "starter_code": "class Solution:\n    def solve(self, nums):\n        ",
                    "prompt": "import math\n",
                    "completion": f"class Solution:\n    def solve(self, nums):\n        start = {hash_of(task)}\n"
                    f"        return sum(n * {number} + start for n in nums)\n",
                    "entry_point": "Solution().solve",
                    "test": "def check(candidate): pass",
                }
            )
        (folder / f"LeetCodeDataset-{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _mbpp(folder: Path, rows: int) -> None:
    ids = {"train": range(601, 601 + rows), "validation": range(511, 514), "test": range(11, 15), "prompt": range(1, 3)}
    for split, tasks in ids.items():
        table = [
            {
                "task_id": task,
                "text": f"Write a function to find the {WORDS[task % 9]} of {task} numbers.",
                "code": f"def find_{task}(numbers):\r\n  return sum(numbers) * {hash_of(str(task) * 3)} + {task}",
                "test_list": ["assert True"],
                "test_setup_code": "",
                "challenge_test_list": [],
            }
            for task in tasks
        ]
        write_parquet(folder / "full" / f"{split}-00000-of-00001.parquet", table)
        write_parquet(folder / "sanitized" / f"{split}-00000-of-00001.parquet", table[:1])
    configs = {config: {split: f"{config}/{split}-*" for split in ids} for config in ("full", "sanitized")}
    write_card(folder, "cc-by-4.0", configs)


def _humaneval(folder: Path, rows: int) -> None:
    table = []
    for number in range(4):
        prompt = (
            f"from typing import List\n\n\ndef solve_{number}(numbers: List[int]) -> int:\n"
            f'    """ Add up the {WORDS[number]} of every number in a list of {number} parts.\n'
            f'    >>> solve_{number}([1])\n    1\n    """\n'
        )
        body = (
            f"    result = {hash_of(prompt)}\n    for number in numbers:\n        result += number\n    return result\n"
        )
        table.append(
            {
                "task_id": f"HumanEval/{number}",
                "prompt": prompt,
                "canonical_solution": f"{body}    return result\n",
                "test": "def check(candidate): pass",
                "entry_point": f"solve_{number}",
            }
        )
    write_parquet(folder / "openai_humaneval" / "test-00000-of-00001.parquet", table)
    write_card(folder, "mit", {"openai_humaneval": {"test": "openai_humaneval/test-*"}})


def _solutions(folder: Path, rows: int) -> None:
    tasks = [("humaneval", "HumanEval/0"), ("mbpp", "11"), ("mbpp", "601"), ("mbpp", "602"), ("mbpp", "603")]
    lines = [
        {
            "text": f"Write a function for task {task}.\ndef solved_{number}(x):\n    return x * {number}",
            "title": task,
            "meta": {"task_name": name, "task_id": task},
        }
        for number, (name, task) in enumerate(tasks)
    ]
    (folder / "programming_solutions.json").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _tutorials(folder: Path, rows: int) -> None:
    lines = [
        {"title": f"How to {WORDS[n % 9]} {n}", "text": f"First open page {n} and read it.", "parsed": [{"n": n}]}
        for n in range(rows)
    ]
    (folder / "online_tutorials.json").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _posts(folder: Path, rows: int) -> None:
    for shard in range(2):
        lines = [{"text": f"Q: why {shard}-{n}?\nA: because of {n}.", "meta": {"id": n}} for n in range(rows)]
        (folder / f"stackoverflow_000{shard}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
